package org.ivit.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.ivit.serve.protocol.InferAnswer;

/**
 * What a request is answered with.
 *
 * @param status of HTTP
 * @param type of the body, as a header says it
 * @param headers others
 * @param body as it is sent
 */
record Reply(int status, String type, Map<String, String> headers, byte[] body) {
  private static final String JSON = "application/json";

  static Reply json(JsonNode node) {
    return json(200, node, Map.of());
  }

  static Reply json(int status, JsonNode node, Map<String, String> headers) {
    return new Reply(status, JSON, headers, node.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** An error as the protocol has it, in one line. */
  static Reply error(int status, String message, Map<String, String> headers) {
    String line = message.strip().replaceAll("\\s*\\R\\s*", " ");
    return json(status, JsonNodeFactory.instance.objectNode().put("error", line), headers);
  }

  static Reply text(String type, byte[] body) {
    return new Reply(200, type, Map.of(), body);
  }

  static Reply infer(InferAnswer answer) {
    return answer.header() < 0
        ? text(JSON, answer.bytes())
        : new Reply(
            200,
            "application/octet-stream",
            Map.of(InferRoute.HEADER_LENGTH, Integer.toString(answer.header())),
            answer.bytes());
  }

  /** The same with another header. */
  Reply with(String header, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(header, value);
    return new Reply(status, type, more, body);
  }
}
