package org.ivit.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.serve.Client;
import org.ivit.serve.FakeRunner;
import org.ivit.serve.TestModels;
import org.ivit.serve.TestServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is refused, and what becomes of the rest. */
@Timeout(60)
class LimitsTest {
  private static final IntegerCheckpoint MODEL = TestModels.classifier();
  private static final byte[] PICTURE = TestModels.png(1);

  @TempDir Path folder;

  private FakeRunner model;
  private TestServer server;

  @BeforeEach
  void server() {
    model = new FakeRunner(TestServer.runner(TestModels.write(folder, "m", MODEL), null));
    server = new TestServer().with("m", model);
  }

  @AfterEach
  void close() {
    model.let(1_000_000);
    server.close();
    assertThat(model.closed()).isTrue();
  }

  private void awaitBatches(int count) throws InterruptedException {
    while (model.batches().size() < count) {
      Thread.sleep(1);
    }
  }

  private static String metrics(Client client) {
    return new String(client.get("/metrics").body(), StandardCharsets.UTF_8);
  }

  private static void awaitPending(Client client, int pictures) throws InterruptedException {
    while (!metrics(client).contains("ivit_pictures_pending " + pictures + ".0")) {
      Thread.sleep(2);
    }
  }

  private static void assertLater(Client.Answer answer, int status, String message) {
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.error()).contains(message);
    assertThat(answer.headers().firstValue("Retry-After")).contains("1");
  }

  @Test
  void whatComesWhileAPictureIsRunIsOneBatch() throws Exception {
    Client client = server.batch(4, Duration.ZERO).start();
    CompletableFuture<Client.Answer> first = client.postAsync("/classify", PICTURE);
    awaitBatches(1);
    List<CompletableFuture<Client.Answer>> others = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      others.add(client.postAsync("/classify", TestModels.png(i)));
    }
    awaitPending(client, 7);
    // All of them are decoded in no time; the bound is the test's own.
    while (!metrics(client).contains("ivit_decode_seconds_count{model=\"m\"} 7")) {
      Thread.sleep(2);
    }
    Thread.sleep(50);
    model.let(3);
    assertThat(first.get(30, TimeUnit.SECONDS).json().path("batch").asInt()).isEqualTo(1);
    for (CompletableFuture<Client.Answer> other : others) {
      assertThat(other.get(30, TimeUnit.SECONDS).status()).isEqualTo(200);
    }
    assertThat(model.batches()).containsExactly(1, 4, 2);
  }

  @Test
  void aFullQueueSaysWhenToComeAgain() throws Exception {
    Client client = server.queue(2).start();
    List<CompletableFuture<Client.Answer>> accepted =
        List.of(client.postAsync("/classify", PICTURE), client.postAsync("/classify", PICTURE));
    awaitPending(client, 2);
    assertLater(client.post("/classify", PICTURE), 429, "the queue of 2 pictures is full");
    assertThat(client.get("/v2/health/ready").status()).isEqualTo(200);
    model.let(2);
    for (CompletableFuture<Client.Answer> answer : accepted) {
      assertThat(answer.get(30, TimeUnit.SECONDS).status()).isEqualTo(200);
    }
    awaitPending(client, 0);
    model.let(1);
    assertThat(client.post("/classify", PICTURE).status()).isEqualTo(200);
  }

  @Test
  void bodiesOnTheirWayAreBoundedToo() throws Exception {
    byte[] padded = Arrays.copyOf(PICTURE, 8000);
    Client client = server.requestBytes(10_000, 15_000).start();
    CompletableFuture<Client.Answer> first = client.postAsync("/classify", padded);
    awaitBatches(1);
    assertLater(client.post("/classify", padded), 429, "requests of 15000 bytes");
    model.let(1);
    assertThat(first.get(30, TimeUnit.SECONDS).status()).isEqualTo(200);
  }

  @Test
  void aRequestThatIsTooLong() throws Exception {
    server.requestBytes(10_000, 100_000).start();
    String tooLong = raw("POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n");
    assertThat(tooLong).startsWith("HTTP/1.1 413 ").contains("the request is longer than 10000");
    String chunks = ("2000\r\n" + "x".repeat(0x2000) + "\r\n").repeat(2);
    assertThat(
            raw(
                "POST /classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunks))
        .startsWith("HTTP/1.1 413 ");
    assertThat(model.batches()).isEmpty();
  }

  @Test
  void aPictureThatIsTooLargeIsNotDecoded() {
    Client client = server.start();
    Client.Answer answer = client.post("/classify", TestModels.png(1, 101, 100));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error())
        .isEqualTo("picture: found a picture of 101x100 pixels, expected at most 10000 in all");
  }

  @Test
  void aQueueThatDoesNotMoveAndAModelThatDoesNotAnswer() throws Exception {
    Client client = server.batch(1, Duration.ZERO).timeout(Duration.ofMillis(700)).start();
    CompletableFuture<Client.Answer> first = client.postAsync("/classify", PICTURE);
    awaitBatches(1);
    assertLater(client.post("/classify", PICTURE), 503, "the queue did not move on in time");
    Client.Answer late = first.get(30, TimeUnit.SECONDS);
    assertThat(late.status()).isEqualTo(504);
    assertThat(late.error()).isEqualTo("the model did not answer in time");
    awaitPending(client, 0);
    model.let(10);
    assertThat(client.post("/classify", PICTURE).status()).isEqualTo(200);
    // The one that waited was taken out of the queue.
    assertThat(model.batches()).containsExactly(1, 1);
  }

  @Test
  void aRequestThatDoesNotArrive() throws Exception {
    server.timeout(Duration.ofMillis(300)).start();
    assertThat(raw("POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"))
        .startsWith("HTTP/1.1 408 ")
        .contains("{\"error\":\"the request did not arrive in time\"}");
  }

  @Test
  void whatIsNoHttp() throws Exception {
    server.start();
    assertThat(raw("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ").doesNotContain("jetty");
    assertThat(raw("GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
        .startsWith("HTTP/1.1 414 ");
    assertThat(raw("POST /classify?model=%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
        .startsWith("HTTP/1.1 400 ");
    assertThat(raw("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n")).startsWith("HTTP/1.1 400 ");
  }

  @Test
  void anInternalErrorTellsNothing() {
    Client client = server.start();
    model.fail(new IllegalStateException("at org.ivit.Secret"));
    model.let(1);
    Client.Answer answer = client.post("/classify", PICTURE);
    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.error()).isEqualTo("internal error");
    model.fail(null);
    model.let(1);
    assertThat(client.post("/classify", PICTURE).status()).isEqualTo(200);
  }

  @Test
  void theToken() {
    Client client = server.token("0123456789abcdef").start();
    model.let(1);
    for (String path : List.of("/v2", "/v2/models/m", "/v2/models/x", "/api/models", "/metrics")) {
      Client.Answer answer = client.get(path);
      assertThat(answer.status()).as(path).isEqualTo(401);
      assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer");
      assertThat(client.get(path, "Authorization", "Bearer 0123456789abcdeX").status())
          .isEqualTo(401);
      assertThat(client.get(path, "Authorization", "Basic 0123456789abcdef").status())
          .isEqualTo(401);
    }
    assertThat(client.post("/classify", PICTURE).status()).isEqualTo(401);
    assertThat(client.get("/v2/health/ready").status()).isEqualTo(200);
    assertThat(client.get("/probe.css").status()).isEqualTo(200);
    String bearer = "bearer 0123456789abcdef";
    assertThat(client.get("/v2", "Authorization", bearer).status()).isEqualTo(200);
    assertThat(client.post("/classify", PICTURE, "Authorization", bearer).status()).isEqualTo(200);
    assertThatThrownBy(() -> BearerToken.of("short", "token.txt"))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("token.txt: found no token");
  }

  /** Sound and broken requests from many threads at once: each has its own answer. */
  @Test
  void manyClients() throws Exception {
    Client client = server.batch(4, Duration.ofMillis(1)).start();
    model.let(1_000_000);
    byte[][] pictures = IntStream.range(0, 6).mapToObj(TestModels::png).toArray(byte[][]::new);
    int[][] expected =
        Arrays.stream(pictures).map(p -> TestModels.expected(MODEL, p)).toArray(int[][]::new);
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    for (int c = 0; c < 16; c++) {
      Random random = new Random(c);
      clients.add(CompletableFuture.runAsync(() -> talk(client, random, pictures, expected)));
    }
    for (CompletableFuture<Void> one : clients) {
      one.get(50, TimeUnit.SECONDS);
    }
    awaitPending(client, 0);
    assertThat(metrics(client)).contains("ivit_request_pending_bytes 0.0");
  }

  private static void talk(Client client, Random random, byte[][] pictures, int[][] expected) {
    for (int i = 0; i < 40; i++) {
      int which = random.nextInt(pictures.length);
      byte[] picture = pictures[which];
      switch (random.nextInt(4)) {
        case 0 -> {
          byte[] broken = picture.clone();
          broken[random.nextInt(30)] ^= (byte) (1 + random.nextInt(255));
          assertThat(client.post("/classify", broken).status()).isIn(200, 400);
        }
        case 1 -> {
          byte[] json = new byte[random.nextInt(200)];
          random.nextBytes(json);
          assertThat(client.post("/v2/models/m/infer", json).status()).isEqualTo(400);
        }
        default -> {
          Client.Answer answer = client.post("/classify?top=1", picture);
          int best = answer.json().at("/top/0/index").asInt();
          assertThat(answer.json().at("/top/0/logit").asInt())
              .isEqualTo(expected[which][best])
              .isEqualTo(Arrays.stream(expected[which]).max().orElseThrow());
        }
      }
    }
  }

  @Test
  void closingAnswersWhatWasAccepted() throws Exception {
    Client client = server.batch(2, Duration.ZERO).start();
    List<CompletableFuture<Client.Answer>> accepted = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      accepted.add(client.postAsync("/classify", TestModels.png(i)));
    }
    awaitPending(client, 5);
    Thread closing = new Thread(server::close);
    closing.start();
    model.let(100);
    for (int i = 0; i < 5; i++) {
      Client.Answer answer = accepted.get(i).get(30, TimeUnit.SECONDS);
      assertThat(answer.status()).isEqualTo(200);
      int best = answer.json().at("/top/0/index").asInt();
      assertThat(answer.json().at("/top/0/logit").asInt())
          .isEqualTo(TestModels.expected(MODEL, TestModels.png(i))[best]);
    }
    closing.join();
    assertThatThrownBy(() -> client.get("/v2/health/live"))
        .hasRootCauseInstanceOf(IOException.class);
  }

  @Test
  void aPortThatIsTaken() {
    server.start();
    FakeRunner other =
        new FakeRunner(TestServer.runner(folder.resolve("m.ivit.safetensors"), null));
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1",
            server.port(),
            1,
            1,
            Duration.ZERO,
            1,
            1000,
            1000,
            1000,
            Duration.ofSeconds(1),
            null);
    assertThatThrownBy(() -> new ModelServer(Map.of("m", other), options, "0", null))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "--host 127.0.0.1 --port %d: cannot listen there: Address already in use"
                .formatted(server.port()));
    assertThat(other.closed()).isTrue();
  }

  /** Sends bytes, and reads the answer until the server closes or has said all. */
  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      StringBuilder text = new StringBuilder();
      while (!text.toString().endsWith("\"}")) {
        int b = in.read();
        if (b < 0) {
          break;
        }
        text.append((char) b);
      }
      return text.toString();
    }
  }
}
