package org.ivit.serve.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;
import org.ivit.serve.Client;
import org.ivit.serve.TestModels;
import org.ivit.serve.TestServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The Open Inference Protocol over HTTP, as its text has it. */
@Timeout(60)
class ProtocolTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String INFER = "/v2/models/deit/infer";
  private static final IntegerCheckpoint MODEL = TestModels.classifier();
  private static final byte[] PICTURE = TestModels.png(1);
  private static final int[] LOGITS = TestModels.expected(MODEL, PICTURE);

  @TempDir static Path folder;

  private static TestServer server;
  private static Client client;

  @BeforeAll
  static void start() {
    server = TestServer.ofEveryKind(folder, MODEL);
    client = server.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode json(String text) throws IOException {
    return JSON.readTree(text.replace('\'', '"'));
  }

  /** A request with one input, whose data is to be added. */
  private static ObjectNode request(String name, String type, int... shape) {
    ObjectNode request = JsonNodeFactory.instance.objectNode();
    ObjectNode input = request.putArray("inputs").addObject();
    input.put("name", name).put("datatype", type);
    ArrayNode sizes = input.putArray("shape");
    Arrays.stream(shape).forEach(sizes::add);
    return request;
  }

  private static ObjectNode input(ObjectNode request) {
    return (ObjectNode) request.at("/inputs/0");
  }

  private static ObjectNode encoded(byte[]... pictures) {
    ObjectNode request = request("image", "BYTES", pictures.length);
    ArrayNode data = input(request).putArray("data");
    for (byte[] picture : pictures) {
      data.add(Base64.getEncoder().encodeToString(picture));
    }
    return request;
  }

  private static ObjectNode binary(ObjectNode request, int size) {
    input(request).putObject("parameters").put("binary_data_size", size);
    return request;
  }

  private static byte[] strings(byte[]... strings) {
    ByteBuffer out =
        ByteBuffer.allocate(Arrays.stream(strings).mapToInt(s -> 4 + s.length).sum())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (byte[] string : strings) {
      out.putInt(string.length).put(string);
    }
    return out.array();
  }

  private static byte[] little(float[] values) {
    ByteBuffer out = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    out.asFloatBuffer().put(values);
    return out.array();
  }

  private static void assertLogits(Client.Answer answer) {
    assertThat(answer.status()).as(answer.json().toString()).isEqualTo(200);
    assertThat(answer.ints("logits")).isEqualTo(LOGITS);
  }

  @Test
  void theServerSaysWhatItIs() throws IOException {
    assertThat(client.get("/v2").json())
        .isEqualTo(
            json(
                "{'name':'ivit','version':'0',"
                    + "'extensions':['classification','binary_tensor_data']}"));
    assertThat(client.get("/v2/health/live").json()).isEqualTo(json("{'live':true}"));
    assertThat(client.get("/v2/health/ready").json()).isEqualTo(json("{'ready':true}"));
    assertThat(client.get("/v2/models/deit/ready").json())
        .isEqualTo(json("{'name':'deit','ready':true}"));
    assertThat(client.get("/v2/models/deit/versions/1/ready").status()).isEqualTo(200);
  }

  @Test
  void aModelSaysWhatItTakesAndGives() throws IOException {
    JsonNode model = client.get("/v2/models/deit").json();
    assertThat(model.path("name").asText()).isEqualTo("deit");
    assertThat(model.path("versions")).isEqualTo(json("['1']"));
    assertThat(model.path("platform").asText()).isEqualTo("ivit_integer");
    assertThat(model.path("inputs"))
        .isEqualTo(
            json(
                "[{'name':'image','datatype':'BYTES','shape':[-1]},"
                    + "{'name':'pixels','datatype':'UINT8','shape':[-1,-1,-1,3]},"
                    + "{'name':'normalised','datatype':'FP32','shape':[-1,3,16,24]}]"));
    assertThat(model.path("outputs"))
        .isEqualTo(
            json(
                "[{'name':'logits','datatype':'INT32','shape':[-1,4]},"
                    + "{'name':'scores','datatype':'FP32','shape':[-1,4]},"
                    + "{'name':'probabilities','datatype':'FP32','shape':[-1,4]}]"));
    assertThat(client.get("/v2/models/deit/versions/1").json()).isEqualTo(model);
    assertThat(client.get("/v2/models/real").json().at("/outputs/0/datatype").asText())
        .isEqualTo("FP32");
    assertThat(client.get("/v2/models/dino").json().path("outputs"))
        .isEqualTo(
            json(
                "[{'name':'codes','datatype':'INT32','shape':[-1,12]},"
                    + "{'name':'features','datatype':'FP32','shape':[-1,12]}]"));
  }

  @Test
  void aPictureFileInJson() {
    Client.Answer answer = client.post(INFER, encoded(PICTURE).put("id", "a 7"));
    assertLogits(answer);
    assertThat(answer.json().path("id").asText()).isEqualTo("a 7");
    assertThat(answer.json().path("model_name").asText()).isEqualTo("deit");
    assertThat(answer.json().path("model_version").asText()).isEqualTo("1");
    assertThat(answer.json().at("/outputs/0/shape").toString()).isEqualTo("[1,4]");
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    float scale = MODEL.graph().logitScale();
    float[] scores = answer.floats("scores");
    float[] probabilities = answer.floats("probabilities");
    double sum = 0;
    for (int c = 0; c < 4; c++) {
      assertThat(scores[c]).isEqualTo(LOGITS[c] * scale);
      sum += Math.exp((double) scale * LOGITS[c]);
    }
    for (int c = 0; c < 4; c++) {
      double expected = Math.exp((double) scale * LOGITS[c]) / sum;
      assertThat(probabilities[c]).isCloseTo((float) expected, within(1e-6f));
    }
  }

  private static org.assertj.core.data.Offset<Float> within(float offset) {
    return org.assertj.core.data.Offset.offset(offset);
  }

  @Test
  void severalPicturesInOneRequest() {
    byte[][] pictures = IntStream.range(0, 9).mapToObj(TestModels::png).toArray(byte[][]::new);
    ObjectNode request = encoded(pictures);
    ArrayNode column = JsonNodeFactory.instance.arrayNode().add(9).add(1);
    input(request).set("shape", column);
    int[] logits = client.post("/v2/models/deit/versions/1/infer", request).ints("logits");
    assertThat(logits).hasSize(36);
    for (int i = 0; i < 9; i++) {
      assertThat(Arrays.copyOfRange(logits, 4 * i, 4 * i + 4))
          .isEqualTo(TestModels.expected(MODEL, pictures[i]));
    }
  }

  @Test
  void pictureFilesBehindTheJson() {
    byte[] tensor = strings(PICTURE, PICTURE);
    int[] logits =
        client
            .post(INFER, binary(request("image", "BYTES", 2), tensor.length), tensor)
            .ints("logits");
    assertThat(logits).startsWith(LOGITS).endsWith(LOGITS).hasSize(8);
  }

  @Test
  void decodedPicturesOfAnySize() {
    Rgb picture = ImageDecoder.decode(PICTURE, "picture");
    ObjectNode request = request("pixels", "UINT8", 1, picture.height(), picture.width(), 3);
    ArrayNode data = input(request).putArray("data");
    for (byte value : picture.data()) {
      data.add(value & 0xff);
    }
    assertLogits(client.post(INFER, request));
    input(request).remove("data");
    binary(request, picture.data().length);
    assertLogits(client.post(INFER, request, picture.data()));
  }

  @Test
  void picturesThatWereResizedAndCroppedAlready() {
    Rgb picture =
        new EvaluationTransform(MODEL.preprocess()).apply(ImageDecoder.decode(PICTURE, "picture"));
    ObjectNode request = request("pixels", "UINT8", 1, 16, 24, 3);
    binary(request, picture.data().length);
    ((ObjectNode) input(request).path("parameters")).put("transformed", true);
    assertLogits(client.post(INFER, request, picture.data()));
  }

  @Test
  void normalisedNumbersInRowsOfRows() {
    float[] values =
        new EvaluationTransform(MODEL.preprocess())
            .normalised(ImageDecoder.decode(PICTURE, "picture"));
    ObjectNode request = request("normalised", "FP32", 1, 3, 16, 24);
    ArrayNode picture = input(request).putArray("data").addArray();
    for (int c = 0, at = 0; c < 3; c++) {
      ArrayNode channel = picture.addArray();
      for (int y = 0; y < 16; y++) {
        ArrayNode row = channel.addArray();
        for (int x = 0; x < 24; x++) {
          row.add(values[at++]);
        }
      }
    }
    assertLogits(client.post(INFER, request));
    input(request).remove("data");
    byte[] tensor = little(values);
    assertLogits(client.post(INFER, binary(request, tensor.length), tensor));
  }

  @Test
  void dataMayComeBeforeItsTypeAndShape() throws IOException {
    String base64 = Base64.getEncoder().encodeToString(PICTURE);
    assertLogits(
        client.post(
            INFER,
            json(
                "{'outputs':[{'name':'logits'}],'inputs':[{'data':['"
                    + base64
                    + "'],'shape':[1],'datatype':'BYTES','name':'image'}]}")));
  }

  @Test
  void outputsBehindTheJson() {
    ObjectNode request = encoded(PICTURE);
    request.putObject("parameters").put("binary_data_output", true);
    ArrayNode outputs = request.putArray("outputs");
    outputs.addObject().put("name", "probabilities");
    outputs.addObject().put("name", "scores").putObject("parameters").put("binary_data", false);
    outputs.addObject().put("name", "logits");
    Client.Answer answer = client.post(INFER, request);
    assertLogits(answer);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/octet-stream");
    assertThat(answer.json().at("/outputs/1/data")).hasSize(4);
    float[] plain = client.post(INFER, encoded(PICTURE)).floats("probabilities");
    assertThat(answer.floats("probabilities")).isEqualTo(plain);
  }

  @Test
  void theLargestClassesByName() {
    ObjectNode request = encoded(PICTURE);
    ArrayNode outputs = request.putArray("outputs");
    outputs.addObject().put("name", "logits").putObject("parameters").put("classification", 3);
    outputs
        .addObject()
        .put("name", "probabilities")
        .putObject("parameters")
        .put("classification", 9)
        .put("binary_data", true);
    Client.Answer answer = client.post(INFER, request);
    List<String> names = List.of("crane, bird", "crane", "cat", "dog");
    List<Integer> order =
        IntStream.range(0, 4).boxed().sorted((a, b) -> LOGITS[b] - LOGITS[a]).toList();
    assertThat(answer.json().at("/outputs/0/datatype").asText()).isEqualTo("BYTES");
    assertThat(answer.json().at("/outputs/0/shape").toString()).isEqualTo("[1,3]");
    for (int i = 0; i < 3; i++) {
      int c = order.get(i);
      assertThat(answer.json().at("/outputs/0/data/" + i).asText())
          .isEqualTo(LOGITS[c] + ":" + c + ":" + names.get(c));
    }
    assertThat(answer.json().at("/outputs/1/shape").toString()).isEqualTo("[1,4]");
    ByteBuffer binary = answer.binary("probabilities");
    byte[] first = new byte[binary.getInt()];
    binary.get(first);
    assertThat(new String(first, StandardCharsets.UTF_8))
        .matches("0\\.\\d+(E-\\d+)?:" + order.get(0) + ":" + names.get(order.get(0)));
  }

  @Test
  void features() {
    Client.Answer answer = client.post("/v2/models/dino/infer", encoded(PICTURE));
    int[] expected = TestModels.expected(TestModels.embedder(), PICTURE);
    assertThat(answer.ints("codes")).isEqualTo(expected);
    float scale = TestModels.embedder().graph().logitScale();
    assertThat(answer.floats("features")[3]).isEqualTo(expected[3] * scale);
  }

  @Test
  void aFloatModelTakesTheSamePictures() {
    Client.Answer answer = client.post("/v2/models/real/infer", encoded(PICTURE));
    float[] logits = answer.floats("logits");
    assertThat(logits).hasSize(3).isEqualTo(answer.floats("scores"));
    ObjectNode request = request("normalised", "FP32", 1, 3, 16, 16);
    byte[] tensor = new byte[4 * 3 * 16 * 16];
    assertThat(
            client
                .post("/v2/models/real/infer", binary(request, tensor.length), tensor)
                .floats("logits"))
        .hasSize(3)
        .isNotEqualTo(logits);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "nonsense | request: no usable JSON",
        "[] | request: expected a JSON object",
        "{} | inputs: found none, expected one of image (BYTES), pixels (UINT8), normalised (FP32)",
        "{'id':7} | id: expected a string",
        "{'id':'a','id':'b'} | Duplicate field 'id'",
        "{'inputs':{}} | inputs: expected an array",
        "{'inputs':[7]} | inputs: expected objects",
        "{'inputs':[{'name':'x','datatype':'BYTES','shape':[1],'data':['']}]} | input x: expected",
        "{'inputs':[{'name':'image','datatype':'FP16','shape':[1]}]} | image: found datatype FP16,",
        "{'inputs':[{'name':'image','datatype':'BYTES'}]} | image: found shape none, expected [-1]",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[0]}]} | shape: expected at most 4",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1,2]}]} | found shape [1, 2]",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[65]}]} | at most 64",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1]}]} | image: found no data",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':7}]} | expected an array",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':['','']}]} | found 2 el",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':[7]}]} | found 7, expec",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':['*']}]} | is no base64",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':['']}]} | file is empty",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'data':['AAAA']}]} | no JPEG",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,1,1,4]}]} | [-1, -1, -1, 3]",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,101,100,3]}]} | 100x101 pixels",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[9,99,99,3]}]} | whose elements",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,1,1,3],'data':[1,2,256]}]} |"
            + " 256",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,1,1,3],'data':[1,2,-1]}]} | -1",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,1,1,3],'data':[1,2,1.0]}]} |"
            + " 1.0",
        "{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,1,1,3],'data':[1,2]}]} | 2 ele",
        "{'inputs':[{'name':'normalised','datatype':'FP32','shape':[1,3,24,16]}]} | [-1, 3, 16,"
            + " 24]",
        "{'inputs':[{'name':'image','datatype':'BYTES','shape':[1],'parameters':7}]} | parameters",
        "{'outputs':[{'name':'x'}]} | inputs: found none",
      })
  void whatIsNoRequestIsRefusedInALine(String request, String message) {
    Client.Answer answer =
        client.post(INFER, request.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).contains(message).doesNotContain("\n", "Exception");
  }

  @Test
  void whatIsAskedForMustBeThere() {
    ObjectNode request = encoded(PICTURE);
    request.putArray("outputs").addObject().put("name", "codes");
    assertThat(client.post(INFER, request).error())
        .isEqualTo(
            "output codes: expected one of logits (INT32), scores (FP32), probabilities (FP32)");
    request
        .putArray("outputs")
        .addObject()
        .put("name", "codes")
        .putObject("parameters")
        .put("classification", 2);
    assertThat(client.post("/v2/models/dino/infer", request).error())
        .isEqualTo("parameter classification: the model answers with features");
    request = encoded(PICTURE);
    ((ArrayNode) request.path("inputs")).add(input(encoded(PICTURE)));
    assertThat(client.post(INFER, request).error()).startsWith("inputs: found several");
  }

  @Test
  void bytesBehindTheJsonMustBeThoseOfTheTensor() {
    byte[] tensor = strings(PICTURE);
    assertThat(
            client
                .post(INFER, binary(request("image", "BYTES", 1), tensor.length - 1), tensor)
                .error())
        .contains("binary_data_size: found " + (tensor.length - 1));
    byte[] cut = Arrays.copyOf(tensor, tensor.length - 1);
    assertThat(client.post(INFER, binary(request("image", "BYTES", 1), cut.length), cut).error())
        .isEqualTo("image: element 0 has not the length that the bytes before it say");
    byte[] more = Arrays.copyOf(tensor, tensor.length + 1);
    assertThat(client.post(INFER, binary(request("image", "BYTES", 1), more.length), more).error())
        .isEqualTo("image: found 1 bytes behind its 1 elements");
    assertThat(client.post(INFER, binary(encoded(PICTURE), tensor.length), tensor).error())
        .contains("found data and binary_data_size");
    byte[] few = new byte[8];
    assertThat(
            client.post(INFER, binary(request("normalised", "FP32", 1, 3, 16, 24), 8), few).error())
        .contains("elements are more than");
    float[] numbers = new float[3 * 16 * 24];
    numbers[5] = Float.NaN;
    byte[] nan = little(numbers);
    assertThat(
            client
                .post(INFER, binary(request("normalised", "FP32", 1, 3, 16, 24), nan.length), nan)
                .error())
        .isEqualTo("picture: found NaN as value 5, expected finite numbers");
    assertThat(client.post(INFER, new byte[3], "Inference-Header-Content-Length", "4").error())
        .contains("found 4, expected at most the 3 bytes");
    assertThat(client.post(INFER, new byte[3], "Inference-Header-Content-Length", "-1").error())
        .contains("expected a number from 0");
  }

  @Test
  void pathsAndMethods() {
    assertThat(client.get("/v2/models/other").error())
        .isEqualTo("model other: expected one of deit, dino, real");
    for (String path :
        List.of(
            "/v2/models/other",
            "/v2/models/deit/versions/2",
            "/v2/models/deit/versions",
            "/v2/models/deit/other",
            "/v2/models",
            "/v2/health/other",
            "/v2/other",
            "/other",
            "/api/other",
            "/a/b/c")) {
      Client.Answer answer = client.get(path);
      assertThat(answer.status()).as(path).isEqualTo(404);
      assertThat(answer.error()).isNotEmpty();
    }
    assertThat(client.get(INFER).status()).isEqualTo(405);
    assertThat(client.get(INFER).headers().firstValue("Allow")).contains("POST");
    assertThat(client.method("DELETE", "/v2/models/deit").status()).isEqualTo(405);
    assertThat(client.post(INFER, new byte[1], "Content-Encoding", "gzip").status()).isEqualTo(415);
    assertThat(client.method("HEAD", "/v2/health/ready").status()).isEqualTo(200);
  }
}
