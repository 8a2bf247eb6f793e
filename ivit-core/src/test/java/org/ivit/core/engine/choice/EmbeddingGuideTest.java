package org.ivit.core.engine.choice;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.model.ImageClassifier;
import org.ivit.core.testing.GuideProgram;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * What {@code docs/embedding.md} shows compiles, and its programs run and answer as the engine
 * does.
 */
class EmbeddingGuideTest {
  private static final Path GUIDE = Path.of("..", "docs", "embedding.md");

  @TempDir Path folder;

  @Test
  void theProgramClassifiesAPicture() throws Exception {
    String program = blocks("java").get(blocks("java").size() - 1);
    GuideProgram.compile(folder, "Classify", program);

    IntegerGraph graph = ObservedModel.small();
    Path checkpoint = checkpoint(graph);
    Path picture = picture();

    byte[] black = new byte[3 * 4 * 4];
    Arrays.fill(black, Quantizer.pixelTable(0.5f, 0.5f, graph.inputScale())[0]);
    StringBuilder expected = new StringBuilder();
    try (Engine reference = Engines.open(graph, "reference")) {
      int[] logits = reference.logits(black, 1);
      for (int c : Logits.top(logits, 0, 2, 5)) {
        expected.append(c == 0 ? "cat" : "dog").append('\t');
        expected.append(logits[c] * graph.logitScale()).append(System.lineSeparator());
      }
    }
    assertThat(run("Classify", checkpoint.toString(), picture.toString()))
        .isEqualTo(expected.toString());
  }

  @Test
  void theFirstLinesNameAPicture() throws Exception {
    String lines = blocks("java").get(0);
    assertThat(lines.lines()).hasSize(3);
    Path checkpoint = checkpoint(ObservedModel.small());
    Path picture = picture();
    String here =
        lines
            .replace("deit.ivit.safetensors", checkpoint.toString())
            .replace("cat.jpg", picture.toString());
    GuideProgram.compile(folder, "Snippet", body(here));
    try (ImageClassifier model = ImageClassifier.open(checkpoint)) {
      assertThat(run("Snippet"))
          .isEqualTo(model.classify(picture).best().name() + System.lineSeparator());
    }
  }

  @Test
  void theOtherLinesCompile() throws IOException {
    List<String> snippets = blocks("java").subList(1, blocks("java").size() - 1);
    assertThat(snippets).hasSize(3);
    for (String snippet : snippets) {
      GuideProgram.compile(folder, "Snippet", body(snippet));
    }
  }

  /** A program of lines that the guide shows. */
  private static String body(String lines) {
    return """
    import java.nio.file.*;
    import java.util.*;
    import java.util.concurrent.*;
    import org.ivit.core.model.*;

    public class Snippet {
      public static void main(String[] args) {
        %s
      }
    }
    """
        .formatted(lines);
  }

  private Path checkpoint(IntegerGraph graph) {
    Path checkpoint = folder.resolve("small.ivit.safetensors");
    CheckpointFile.write(
        checkpoint,
        new IntegerCheckpoint(
            graph, Preprocess.half(4, 4), List.of("cat", "dog"), Provenance.UNKNOWN));
    return checkpoint;
  }

  private Path picture() throws IOException {
    Path picture = folder.resolve("picture.png");
    ImageIO.write(new BufferedImage(9, 6, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    return picture;
  }

  private String run(String program, String... arguments) throws Exception {
    PrintStream before = System.out;
    // What is logged, and where, is the program's affair; this one configures nothing.
    Logger logger = (Logger) LoggerFactory.getLogger("org.ivit");
    logger.setLevel(Level.INFO);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    URL[] path = {folder.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(path, getClass().getClassLoader());
        PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      loader.loadClass(program).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } finally {
      System.setOut(before);
      logger.setLevel(null);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theCoordinatesAreTheProject() throws IOException {
    String pom = Files.readString(Path.of("..", "pom.xml"));
    Matcher version = Pattern.compile("<version>([^<]+)</version>").matcher(pom);
    assertThat(version.find()).isTrue();
    assertThat(blocks("xml").get(0))
        .contains("<groupId>org.ivit</groupId>")
        .contains("<artifactId>ivit-core</artifactId>")
        .contains("<version>" + version.group(1) + "</version>");
  }

  private static List<String> blocks(String language) throws IOException {
    return Pattern.compile("```" + language + "\\R(.*?)```", Pattern.DOTALL)
        .matcher(Files.readString(GUIDE))
        .results()
        .map(block -> block.group(1))
        .toList();
  }
}
