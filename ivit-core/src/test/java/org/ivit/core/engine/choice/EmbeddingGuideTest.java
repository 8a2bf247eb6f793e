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
import javax.tools.ToolProvider;
import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * The program of {@code docs/embedding.md} compiles, runs and answers as the reference engine does.
 */
class EmbeddingGuideTest {
  private static final Path GUIDE = Path.of("..", "docs", "embedding.md");

  @TempDir Path folder;

  @Test
  void theProgramClassifiesAPicture() throws Exception {
    Path source = folder.resolve("Classify.java");
    Files.writeString(source, block("java"));
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                errors,
                "-Xlint:all,-classfile,-path,-processing",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                folder.toString(),
                source.toString());
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(compiled).isZero();

    IntegerGraph graph = ObservedModel.small();
    Path checkpoint = folder.resolve("small.ivit.safetensors");
    CheckpointFile.write(
        checkpoint,
        new IntegerCheckpoint(
            graph, Preprocess.half(4, 4), List.of("cat", "dog"), Provenance.UNKNOWN));
    Path picture = folder.resolve("picture.png");
    ImageIO.write(new BufferedImage(9, 6, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());

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
    assertThat(run(checkpoint, picture)).isEqualTo(expected.toString());
  }

  private String run(Path checkpoint, Path picture) throws Exception {
    PrintStream before = System.out;
    // What is logged, and where, is the program's affair; this one configures nothing.
    Logger logger = (Logger) LoggerFactory.getLogger("org.ivit");
    logger.setLevel(Level.INFO);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    URL[] path = {folder.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(path, getClass().getClassLoader());
        PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      String[] arguments = {checkpoint.toString(), picture.toString()};
      loader
          .loadClass("Classify")
          .getMethod("main", String[].class)
          .invoke(null, (Object) arguments);
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
    assertThat(block("xml"))
        .contains("<groupId>org.ivit</groupId>")
        .contains("<artifactId>ivit-core</artifactId>")
        .contains("<version>" + version.group(1) + "</version>");
  }

  private static String block(String language) throws IOException {
    Matcher block =
        Pattern.compile("```" + language + "\\R(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(GUIDE));
    assertThat(block.find()).isTrue();
    return block.group(1);
  }
}
