package org.ivit.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;
import org.ivit.export.cli.CommandLineInterface;
import org.ivit.export.cli.Main;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command as a user gives it. */
@Timeout(120)
class ServeCommandTest {
  private static final IntegerCheckpoint MODEL = TestModels.classifier();
  private static final Pattern LISTENING =
      Pattern.compile("listening on http://127\\.0\\.0\\.1:(\\d+)/");

  @TempDir static Path folder;

  private static Path file;

  @BeforeAll
  static void write() {
    file = TestModels.write(folder, "deit", MODEL);
  }

  /** Exit code 2, and the line on the error stream. */
  private static String refused(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    List<String> command = new ArrayList<>(List.of("serve"));
    Arrays.stream(args).map(Object::toString).forEach(command::add);
    int code =
        CommandLineInterface.run(
            new PrintWriter(out), new PrintWriter(err), command.toArray(String[]::new));
    assertThat(code).as(err.toString()).isEqualTo(2);
    assertThat(err.toString().lines().filter(line -> !line.contains("deit_"))).hasSize(1);
    return err.toString();
  }

  @Test
  void itsHelpIsThere() {
    StringWriter out = new StringWriter();
    assertThat(
            CommandLineInterface.run(
                new PrintWriter(out), new PrintWriter(new StringWriter()), "serve", "--help"))
        .isZero();
    assertThat(out.toString()).contains("Usage: ivit serve", "--token-file", "--verbose");
  }

  @Test
  void whatCannotBeUsedIsRefused() throws IOException {
    Path missing = folder.resolve("missing.safetensors");
    assertThat(refused("--model", missing)).contains(missing + ": no such file or folder");
    assertThat(refused()).contains("--model");
    assertThat(refused("--model", file, "--model", "deit=" + file))
        .contains("found two models deit, expected a name for each: --model NAME=FILE");
    assertThat(refused("--model", folder.resolve("two words.safetensors")))
        .contains("is no name of a model, expected --model NAME=FILE");
    assertThat(refused("--model", file, "--port", 65536)).contains("--port: 65536");
    assertThat(refused("--model", file, "--batch", 0)).contains("--batch: 0");
    assertThat(refused("--model", file, "--timeout", 0)).contains("--timeout: 0");
    assertThat(refused("--model", file, "--host", "no.such.host.invalid"))
        .contains("--host: no.such.host.invalid: is no address of this machine");
    Path token = Files.writeString(folder.resolve("token"), "short\n");
    assertThat(refused("--model", file, "--token-file", token)).contains("token: found no token");
    Path run = Files.createDirectories(folder.resolve("run"));
    Files.writeString(run.resolve("config.yaml"), "");
    assertThat(refused("--model", run)).contains("is a run directory, expected an integer");
  }

  @Test
  void logitsAreThoseOfEvaluate() throws IOException {
    Path pictures = folder.resolve("pictures");
    int seed = 0;
    for (String name : List.of("n01", "n02", "n03", "dog")) {
      Path in = Files.createDirectories(pictures.resolve(name));
      for (int i = 0; i < 3; i++) {
        Files.write(in.resolve(i + ".png"), TestModels.png(seed++));
      }
    }
    Path logits = folder.resolve("logits.safetensors");
    StringWriter err = new StringWriter();
    int code =
        CommandLineInterface.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            "evaluate",
            "--model",
            file.toString(),
            "--data",
            pictures.toString(),
            "--logits",
            logits.toString());
    assertThat(code).as(err.toString()).isZero();
    TensorFile evaluated = Safetensors.read(logits);
    JsonNode names = new ObjectMapper().readTree(evaluated.metadata().get("files"));
    int[] expected = evaluated.tensors().get("logits").ints();
    try (TestServer server = new TestServer().with("m", TestServer.runner(file, null))) {
      Client client = server.start();
      assertThat(names).hasSize(12);
      for (int i = 0; i < 12; i++) {
        byte[] picture = Files.readAllBytes(pictures.resolve(names.get(i).asText()));
        String request =
            "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"%s\"]}]}"
                .formatted(Base64.getEncoder().encodeToString(picture));
        assertThat(
                client
                    .post("/v2/models/m/infer", request.getBytes(StandardCharsets.UTF_8))
                    .ints("logits"))
            .isEqualTo(Arrays.copyOfRange(expected, 4 * i, 4 * i + 4));
      }
    }
  }

  /** A signal in the middle: what was accepted is answered, and the process ends with 0. */
  @Test
  void terminatedInTheMiddle() throws Exception {
    assumeThat(System.getProperty("os.name")).startsWith("Linux");
    Path err = folder.resolve("err.txt");
    Path out = folder.resolve("out.txt");
    Path classes = folder.resolve("classes.txt");
    Path token = Files.writeString(folder.resolve("secret"), "0123456789abcdef\n");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xlog:class+load:file=" + classes, "-Xmx256m", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("serve", "--model", "m=" + file, "--port", "0", "--batch", "64"));
    command.addAll(List.of("--wait-ms", "10000", "--token-file", token.toString()));
    Process process =
        new ProcessBuilder(command)
            .redirectError(err.toFile())
            .redirectOutput(out.toFile())
            .start();
    try {
      Client client = new Client(port(process, err));
      String[] bearer = {"Authorization", "Bearer 0123456789abcdef"};
      List<CompletableFuture<Client.Answer>> accepted = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        accepted.add(client.postAsync("/classify", TestModels.png(i), bearer));
      }
      String pending = "ivit_decode_seconds_count{model=\"m\"} 8";
      while (!text(client.get("/metrics", bearer).body()).contains(pending)) {
        Thread.sleep(10);
      }
      assertThat(accepted).noneMatch(CompletableFuture::isDone);
      assertThat(new ProcessBuilder("kill", "-TERM", "" + process.pid()).start().waitFor())
          .isZero();
      for (int i = 0; i < 8; i++) {
        Client.Answer answer = accepted.get(i).get(60, TimeUnit.SECONDS);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().path("batch").asInt()).isEqualTo(8);
        int best = answer.json().at("/top/0/index").asInt();
        assertThat(answer.json().at("/top/0/logit").asInt())
            .isEqualTo(TestModels.expected(MODEL, TestModels.png(i))[best]);
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
      assertThat(Files.readString(err))
          .contains("m: deit3, cpu", "answering what was accepted, then stopping");
      assertThat(Files.readAllLines(out))
          .filteredOn(line -> line.matches(".* 127\\.0\\.0\\.1 POST /classify 200 .* 8"))
          .hasSize(8);
      assertThat(Files.readString(classes))
          .contains("org.eclipse.jetty.server.Server ")
          .doesNotContain(" org.nd4j.", " org.deeplearning4j.", " org.bytedeco.");
    } finally {
      process.destroyForcibly();
    }
  }

  private static int port(Process process, Path err) throws Exception {
    while (true) {
      Matcher listening = LISTENING.matcher(Files.readString(err));
      if (listening.find()) {
        return Integer.parseInt(listening.group(1));
      }
      assertThat(process.isAlive()).as(Files.readString(err)).isTrue();
      Thread.sleep(10);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
