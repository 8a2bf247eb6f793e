package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What users put where something else belongs: each is exit code 2 and one line that names it, in
 * which no class of Java's speaks.
 */
class BadInputTest {
  @TempDir static Path folder;

  private static Path checkpoint;
  private static Path weights;
  private static Path pictures;
  private static Path picture;
  private static Path recipe;
  private static Path file;

  @BeforeAll
  static void files() throws IOException {
    checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 1);
    picture = pictures.resolve("ant/0.png");
    recipe = Files.writeString(folder.resolve("recipe.yaml"), recipe());
    file = Files.writeString(folder.resolve("file"), "text\n");
    bad();
  }

  private static String recipe() {
    return "architecture: "
        + MicroModel.DESCRIPTION.replace(":", ": ")
        + "\nweights: "
        + weights
        + "\ndata: {train: "
        + pictures
        + ", preprocessing: {resize: 16}}"
        + "\nquantization: {calibration: {pictures: 2, batchSize: 2}}"
        + "\nschedule: {epochs: 0}\nthreads: 1\n";
  }

  private static List<Path> bad() throws IOException {
    Path inputs = Files.createDirectories(folder.resolve("bad"));
    Path binary = inputs.resolve("binary");
    Files.write(binary, new byte[] {(byte) 0x89, 0, (byte) 0xff, 'P', (byte) 0xfe, 13, 10, 26});
    return List.of(
        binary,
        Files.write(inputs.resolve("empty"), new byte[0]),
        Files.createDirectories(inputs.resolve("folder")),
        Files.writeString(inputs.resolve("text"), "hello, world\n"),
        Files.writeString(inputs.resolve("json"), "{\"a\": [1, 2}\n"),
        inputs.resolve("missing"));
  }

  private static void refused(Path named, List<?> arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] words = arguments.stream().map(Object::toString).toArray(String[]::new);
    int code = CommandLineInterface.run(new PrintWriter(out), new PrintWriter(err), words);
    String said = err.toString();
    assertThat(code).as(said).isEqualTo(2);
    assertThat(said.lines()).hasSize(1);
    assertThat(said)
        .startsWith("ivit: ")
        .contains(named.toString())
        .doesNotContainPattern(
            "[A-Z]\\w+(Exception|Error)\\b|java\\.|REDACTED|\\[Source|Input length");
  }

  /** A command in which BAD stands for what is bad. */
  static Stream<Arguments> inputs() throws IOException {
    String micro = MicroModel.DESCRIPTION;
    List<List<Object>> commands =
        List.of(
            List.of("train", "--config", "BAD", "--output", folder.resolve("run")),
            List.of("train", "--resume", "BAD"),
            List.of("bench-loader", "--config", "BAD"),
            List.of("inspect", "BAD"),
            List.of("bench", "--model", "BAD"),
            List.of("predict", "--model", "BAD", picture),
            List.of("predict", "--model", checkpoint, "BAD"),
            List.of("predict", "--model", checkpoint, "--classes", "BAD", picture),
            List.of("evaluate", "--model", "BAD", "--data", pictures, "--architecture", micro),
            List.of("evaluate", "--model", checkpoint, "--data", "BAD"),
            List.of("evaluate", "--model", checkpoint, "--data", pictures, "--classes", "BAD"),
            List.of("evaluate", "--model", checkpoint, "--data", pictures, "--labels", "BAD"),
            List.of("evaluate", "--model", checkpoint, "--data", pictures, "--against", "BAD"),
            List.of("diagnose", "--model", "BAD", "--against", weights, "--data", pictures),
            List.of("diagnose", "--run", "BAD", "--against", weights, "--data", pictures),
            List.of("diagnose", "--model", checkpoint, "--against", "BAD", "--data", pictures),
            List.of("diagnose", "--model", checkpoint, "--against", weights, "--data", "BAD"),
            quantize("--weights", "BAD", "--data", pictures),
            quantize("--weights", weights, "--data", "BAD"),
            quantize("--weights", weights, "--data", pictures, "--classes", "BAD"),
            List.of("quantize", "--config", "BAD", "--output", folder.resolve("x")),
            List.of("export", "--run", "BAD", "--output", folder.resolve("x")),
            List.of(
                "export",
                "--published-checkpoint",
                "BAD",
                "--architecture",
                micro,
                "--output",
                folder.resolve("x")),
            List.of(
                "export",
                "--format",
                "onnx",
                "--model",
                "BAD",
                "--architecture",
                micro,
                "--output",
                folder.resolve("x")),
            List.of(
                "export",
                "--format",
                "onnx-qdq",
                "--model",
                "BAD",
                "--output",
                folder.resolve("x")));
    List<Arguments> cases = new ArrayList<>();
    for (List<Object> command : commands) {
      for (Path input : bad()) {
        List<Object> words = new ArrayList<>(command);
        words.replaceAll(word -> word.equals("BAD") ? input : word);
        cases.add(Arguments.of(input, words));
      }
    }
    return cases.stream();
  }

  private static List<Object> quantize(Object... inputs) {
    List<Object> words = new ArrayList<>(List.of("quantize"));
    words.addAll(List.of(inputs));
    words.addAll(
        List.of("--architecture", MicroModel.DESCRIPTION, "--output", folder.resolve("x")));
    return words;
  }

  @ParameterizedTest
  @MethodSource("inputs")
  void whereAFileOfAnotherKindIsExpected(Path input, List<?> arguments) {
    refused(input, arguments);
  }

  static Stream<Arguments> recipes() {
    return Stream.of(
            recipe() + "seed:\t1\n\tema: 2\n",
            recipe() + "seed: 1\nseed: 2\n",
            recipe() + "seed: many\n",
            recipe() + "sede: 1\n",
            recipe() + "output: \"a\\0b\"\n",
            recipe() + "seed: [1\n",
            recipe() + "seed: &a 1\nthreads: *b\n",
            recipe() + "seed: !!java.util.Date x\n",
            recipe() + "\u0007\n",
            recipe().replace("architecture: ", "architecture: 3 #"),
            recipe().replace("architecture: ", "architecture: deit_tny_patch16_224 #"),
            recipe().replace(weights.toString(), pictures.toString()),
            recipe().replace(weights.toString(), picture.toString()),
            recipe().replace(weights.toString(), folder.resolve("none").toString()),
            recipe().replace(weights.toString(), checkpoint.toString()),
            recipe().replace("train: " + pictures, "train: " + picture),
            recipe().replace("train: " + pictures, "train: " + folder.resolve("none")),
            recipe().replace("data: {", "data: {classes: " + pictures + ", "),
            recipe().replace("data: {", "data: {classes: " + picture + ", "))
        .map(Arguments::of);
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void inARecipe(String text) throws IOException {
    Path bad = Files.writeString(folder.resolve("recipe-that-is-bad.yaml"), text);
    Path run = folder.resolve("run-of-a-bad-recipe");
    refused(Path.of(""), List.of("train", "--config", bad, "--output", run));
    assertThat(run).doesNotExist();
  }

  static Stream<Arguments> outputs() {
    List<List<Object>> commands =
        List.of(
            List.of("evaluate", "--model", checkpoint, "--data", pictures, "--json"),
            List.of("evaluate", "--model", checkpoint, "--data", pictures, "--logits"),
            List.of("bench", "--model", checkpoint, "--json"),
            List.of("bench-loader", "--config", recipe, "--json"),
            List.of(
                "diagnose",
                "--model",
                checkpoint,
                "--against",
                weights,
                "--data",
                pictures,
                "--html"),
            List.of("quantize", "--config", recipe, "--output"),
            List.of("export", "--format", "onnx-qdq", "--model", checkpoint, "--output"));
    List<Path> targets =
        List.of(pictures, file.resolve("x"), folder.resolve("none/x"), file.resolve("x/y"));
    List<Arguments> cases = new ArrayList<>();
    for (Path target : targets) {
      for (List<Object> command : commands) {
        cases.add(Arguments.of(target, with(command, target)));
      }
    }
    // A run's folder, and those above it, are made.
    for (Path target : List.of(file, file.resolve("x"), file.resolve("x/y"))) {
      cases.add(Arguments.of(target, List.of("train", "--config", recipe, "--output", target)));
      cases.add(Arguments.of(target, List.of("quickstart", "--output", target)));
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("outputs")
  void whereNothingCanBeWritten(Path target, List<?> arguments) {
    refused(target.getParent(), arguments);
    assertThat(file).hasContent("text\n");
  }

  @Test
  void aNameThatIsTooLong() {
    Path target = folder.resolve("n".repeat(300));
    refused(
        target,
        List.of("export", "--format", "onnx-qdq", "--model", checkpoint, "--output", target));
  }

  @Test
  void aFileWithoutPermission() throws IOException {
    Path secret = Files.writeString(folder.resolve("secret.yaml"), recipe());
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
    Assumptions.assumeFalse(Files.isReadable(secret), "this user may read everything");
    refused(secret, List.of("train", "--config", secret));
    refused(secret, List.of("inspect", secret));
  }

  @Test
  void aFolderWithoutPermission() throws IOException {
    Path locked = Files.createDirectory(folder.resolve("locked"));
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
    Assumptions.assumeFalse(Files.isWritable(locked), "this user may write everywhere");
    refused(locked, List.of("train", "--config", recipe, "--output", locked.resolve("run")));
  }

  private static List<Object> with(List<Object> words, Object more) {
    List<Object> all = new ArrayList<>(words);
    all.add(more);
    return all;
  }
}
