package org.ivit.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.serve.Client;
import org.ivit.serve.TestModels;
import org.ivit.serve.TestServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What people and the page ask for: pictures, models, files of the page. */
@Timeout(60)
class ClassifyTest {
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

  private static List<Integer> order() {
    return IntStream.range(0, 4)
        .boxed()
        .sorted(Comparator.comparing((Integer c) -> -LOGITS[c]))
        .toList();
  }

  private static void assertBest(JsonNode answer, int count) {
    assertThat(answer.path("top")).hasSize(count);
    List<String> ids = List.of("n01", "n02", "n03", "dog");
    for (int i = 0; i < count; i++) {
      JsonNode row = answer.path("top").get(i);
      int c = order().get(i);
      assertThat(row.path("index").asInt()).isEqualTo(c);
      assertThat(row.path("id").asText()).isEqualTo(ids.get(c));
      assertThat(row.path("logit").isInt()).isTrue();
      assertThat(row.path("logit").asInt()).isEqualTo(LOGITS[c]);
      assertThat(row.path("probability").asDouble()).isBetween(0.0, 1.0);
    }
  }

  @Test
  void thePlainFile() {
    Client.Answer answer = client.post("/classify", PICTURE);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().path("model").asText()).isEqualTo("deit");
    assertBest(answer.json(), 4);
    assertThat(answer.json().path("batch").asInt()).isEqualTo(1);
    JsonNode ms = answer.json().path("ms");
    double parts = 0;
    for (String part : List.of("decode", "transform", "wait", "infer")) {
      assertThat(ms.path(part).isNumber()).as(part).isTrue();
      parts += ms.path(part).asDouble();
    }
    assertThat(ms.path("total").asDouble()).isGreaterThan(parts - 0.01);
  }

  @Test
  void modelAndNumberOfClasses() {
    assertBest(client.post("/classify?model=deit&top=2", PICTURE).json(), 2);
    JsonNode real = client.post("/classify?top=9&model=real", PICTURE).json();
    assertThat(real.path("top")).hasSize(3);
    assertThat(real.at("/top/0/logit").isDouble()).isTrue();
    assertThat(client.post("/classify?top=0", PICTURE).error())
        .isEqualTo("top: expected a number from 1 to 999999");
    assertThat(client.post("/classify?model=other", PICTURE).status()).isEqualTo(404);
    assertThat(client.post("/classify?model=dino", PICTURE).error())
        .isEqualTo("dino: answers with features, expected a model with classes");
  }

  @Test
  void whatIsNoPicture() {
    Client.Answer answer = client.post("/classify", new byte[] {1, 2, 3});
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).isEqualTo("picture: found no JPEG, PNG, WebP or BMP file");
    assertThat(client.post("/classify", Arrays.copyOf(PICTURE, 200)).error())
        .startsWith("picture: corrupt picture");
    Client.Answer form =
        client.post("/classify", PICTURE, "Content-Type", "multipart/form-data; boundary=x");
    assertThat(form.status()).isEqualTo(415);
    assertThat(form.error()).contains("--data-binary");
    assertThat(client.get("/classify").status()).isEqualTo(405);
  }

  @Test
  void byCurl() throws Exception {
    boolean found =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(entry -> Files.isExecutable(Path.of(entry, "curl")));
    assumeTrue(found, "curl is missing");
    Path picture = Files.write(folder.resolve("picture.png"), PICTURE);
    String url = "http://127.0.0.1:" + server.port();
    assertBest(curl("--data-binary", "@" + picture, url + "/classify?top=3"), 3);
    String json =
        "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"%s\"]}]}"
            .formatted(Base64.getEncoder().encodeToString(PICTURE));
    Path request = Files.writeString(folder.resolve("request.json"), json);
    assertThat(
            curl("-d", "@" + request, url + "/v2/models/deit/infer")
                .at("/outputs/0/data/2")
                .asInt())
        .isEqualTo(LOGITS[2]);
  }

  private static JsonNode curl(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("curl", "-sS", "--noproxy", "*"));
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor()).as(new String(output, StandardCharsets.UTF_8)).isZero();
    return new ObjectMapper().readTree(output);
  }

  @Test
  void modelsForThePage() {
    JsonNode models = client.get("/api/models").json();
    assertThat(models)
        .extracting(m -> m.path("name").asText())
        .containsExactly("deit", "dino", "real");
    JsonNode deit = models.get(0);
    assertThat(deit.path("family").asText()).isEqualTo("vit");
    assertThat(deit.path("task").asText()).isEqualTo("classification");
    assertThat(deit.path("classes").asInt()).isEqualTo(4);
    assertThat(deit.path("engine").asText()).isNotEmpty();
    assertThat(deit.path("threads").asInt()).isEqualTo(2);
    assertThat(deit.path("input").toString()).isEqualTo("{\"width\":24,\"height\":16}");
    assertThat(deit.path("bytes").asLong())
        .isEqualTo(folder.resolve("deit.ivit.safetensors").toFile().length());
    assertThat(deit.path("bits").asInt()).isEqualTo(8);
    assertThat(deit.path("layers")).hasSize(10);
    assertThat(deit.at("/layers/1").toString())
        .isEqualTo(
            "{\"name\":\"blocks.0.attn.qkv\",\"kind\":\"qkv\",\"shape\":[36,12],\"bits\":8,"
                + "\"bytes\":432}");
    assertThat(models.at("/1/task").asText()).isEqualTo("features");
    assertThat(models.at("/2/engine").asText()).isEqualTo("float");
    assertThat(models.at("/2/bits").asInt()).isEqualTo(32);
  }

  @Test
  void filesOfThePage() {
    Client.Answer answer = client.get("/probe.css");
    assertThat(new String(answer.body(), StandardCharsets.UTF_8)).contains("color");
    assertThat(answer.headers().firstValue("Content-Type")).contains("text/css; charset=utf-8");
    assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'self'");
    assertThat(answer.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
    for (String path : List.of("/..%2Fprobe.css", "/%2e%2e/probe.css", "/probe.class", "/a.css")) {
      assertThat(client.get(path).status()).as(path).isIn(400, 404);
    }
  }

  @Test
  void aLineForEachRequest() throws InterruptedException {
    client.get("/v2/health/live?secret=1");
    client.post("/classify", PICTURE);
    while (!server.log().contains("POST /classify 200")) {
      Thread.sleep(5);
    }
    assertThat(server.log().lines())
        .allMatch(
            line ->
                line.matches(
                    "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z 127\\.0\\.0\\.1 [A-Z]+"
                        + " /\\S* \\d{3} \\d+ \\d+\\.\\d (\\d+|-)"))
        .anyMatch(line -> line.contains("GET /v2/health/live 200 "))
        .anyMatch(line -> line.matches(".* POST /classify 200 \\d+ [0-9.]+ [1-4]"));
    assertThat(server.log()).doesNotContain("secret");
  }

  @Test
  void metrics() throws InterruptedException {
    client.post("/classify", PICTURE);
    client.post("/classify", new byte[1]);
    client.get("/a-path-of-a-client");
    String text = "";
    while (!text.contains("route=\"classify\",status=\"400\"")) {
      Client.Answer answer = client.get("/metrics");
      assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
          .startsWith("text/plain; version=0.0.4");
      text = new String(answer.body(), StandardCharsets.UTF_8);
    }
    assertThat(text)
        .contains(
            "ivit_requests_seconds_bucket{route=\"classify\",status=\"200\",le=\"0.5\"}",
            "ivit_pictures_total{model=\"deit\"}",
            "ivit_batch_pictures_bucket{model=\"deit\",le=\"1.0\"}",
            "ivit_inference_seconds_count{model=\"deit\"}",
            "ivit_decode_seconds_count{model=\"deit\"}",
            "ivit_wait_seconds_sum{model=\"deit\"}",
            "ivit_pictures_pending",
            "jvm_memory_used_bytes",
            "process_uptime_seconds")
        .doesNotContain("a-path-of-a-client");
  }
}
