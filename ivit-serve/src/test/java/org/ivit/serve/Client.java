package org.ivit.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A client of the protocol, written from its text. */
public final class Client {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String base;

  /** What came back. */
  public record Answer(int status, HttpHeaders headers, byte[] body) {
    /** Length of the JSON before binary tensors; that of all where there are none. */
    private int jsonLength() {
      return headers
          .firstValue("Inference-Header-Content-Length")
          .map(Integer::parseInt)
          .orElse(body.length);
    }

    public JsonNode json() {
      try {
        return JSON.readTree(body, 0, jsonLength());
      } catch (IOException e) {
        throw new UncheckedIOException(new String(body, StandardCharsets.UTF_8), e);
      }
    }

    /** The message of an error. */
    public String error() {
      return json().path("error").asText();
    }

    private JsonNode output(String name) {
      for (JsonNode output : json().path("outputs")) {
        if (output.path("name").asText().equals(name)) {
          return output;
        }
      }
      throw new AssertionError("no output " + name + ": " + json());
    }

    /** Elements of an output of integers, whether in JSON or behind it. */
    public int[] ints(String name) {
      JsonNode output = output(name);
      if (output.has("data")) {
        return JSON.convertValue(output.get("data"), int[].class);
      }
      ByteBuffer bytes = binary(name);
      int[] values = new int[bytes.remaining() / 4];
      bytes.asIntBuffer().get(values);
      return values;
    }

    /** Elements of an output of float32, whether in JSON or behind it. */
    public float[] floats(String name) {
      JsonNode output = output(name);
      if (output.has("data")) {
        return JSON.convertValue(output.get("data"), float[].class);
      }
      ByteBuffer bytes = binary(name);
      float[] values = new float[bytes.remaining() / 4];
      bytes.asFloatBuffer().get(values);
      return values;
    }

    /** The bytes of an output behind the JSON. */
    public ByteBuffer binary(String name) {
      int at = jsonLength();
      for (JsonNode output : json().path("outputs")) {
        int size = output.path("parameters").path("binary_data_size").asInt();
        if (output.path("name").asText().equals(name)) {
          return ByteBuffer.wrap(body, at, size).slice().order(ByteOrder.LITTLE_ENDIAN);
        }
        at += size;
      }
      throw new AssertionError("no output " + name);
    }
  }

  public Client(int port) {
    this.base = "http://127.0.0.1:" + port;
  }

  private HttpRequest.Builder request(String path, String... headers) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofSeconds(60));
    return headers.length == 0 ? builder : builder.headers(headers);
  }

  private Answer send(HttpRequest request) {
    return answer(sendAsync(request).join());
  }

  private CompletableFuture<HttpResponse<byte[]>> sendAsync(HttpRequest request) {
    return http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
  }

  private static Answer answer(HttpResponse<byte[]> response) {
    return new Answer(response.statusCode(), response.headers(), response.body());
  }

  public Answer get(String path, String... headers) {
    return send(request(path, headers).GET().build());
  }

  public Answer method(String method, String path) {
    return send(request(path).method(method, HttpRequest.BodyPublishers.noBody()).build());
  }

  public Answer post(String path, byte[] body, String... headers) {
    return send(request(path, headers).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build());
  }

  public Answer post(String path, JsonNode body, String... headers) {
    return post(path, body.toString().getBytes(StandardCharsets.UTF_8), headers);
  }

  public CompletableFuture<Answer> postAsync(String path, byte[] body, String... headers) {
    return sendAsync(
            request(path, headers).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build())
        .thenApply(Client::answer);
  }

  /** Posts JSON with a tensor behind it. */
  public Answer post(String path, JsonNode header, byte[] tensor) {
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    byte[] body = ByteBuffer.allocate(json.length + tensor.length).put(json).put(tensor).array();
    return post(
        path,
        body,
        "Inference-Header-Content-Length",
        Integer.toString(json.length),
        "Content-Type",
        "application/octet-stream");
  }
}
