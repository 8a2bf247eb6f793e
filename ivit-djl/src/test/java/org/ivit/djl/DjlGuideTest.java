package org.ivit.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.ivit.core.testing.GuideProgram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/djl.md} shows compiles, runs and answers. */
class DjlGuideTest {
  private static final Path GUIDE = Path.of("..", "docs", "djl.md");

  @TempDir Path folder;

  @Test
  void theProgramClassifiesAPicture() throws Exception {
    GuideProgram.compile(folder, "ClassifyByDjl", block("```java\\R(import .*?)```"));

    Path model = Files.createDirectory(folder.resolve("model"));
    Path checkpoint = SmallModels.write(model, "net");
    StringBuilder expected = new StringBuilder();
    for (Classifications.Classification answer : served(model, picture()).topK()) {
      expected.append(answer.getClassName()).append('\t').append(answer.getProbability());
      expected.append(System.lineSeparator());
    }
    assertThat(run(checkpoint, picture())).isEqualTo(expected.toString());
    assertThat(run(model, picture())).isEqualTo(expected.toString());
  }

  private Path picture() throws IOException {
    Path picture = folder.resolve("picture.png");
    ImageIO.write(SmallModels.buffered(SmallModels.noise(17, 12, 4)), "png", picture.toFile());
    return picture;
  }

  private static Classifications served(Path model, Path picture) throws Exception {
    try (ZooModel<Path, Classifications> zoo =
            Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(model)
                .optEngine("IVIT")
                .optTranslatorFactory(new IvitTranslatorFactory())
                .build()
                .loadModel();
        var predictor = zoo.newPredictor()) {
      return predictor.predict(picture);
    }
  }

  private String run(Path model, Path picture) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    URL[] path = {folder.toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(path, getClass().getClassLoader());
        PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(capture);
      String[] arguments = {model.toString(), picture.toString()};
      loader
          .loadClass("ClassifyByDjl")
          .getMethod("main", String[].class)
          .invoke(null, (Object) arguments);
    } finally {
      System.setOut(before);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theFolderOfDjlServingAnswersARequest() throws Exception {
    Path model = Files.createDirectory(folder.resolve("model"));
    SmallModels.write(model, "net");
    Files.writeString(model.resolve("serving.properties"), block("```\\R(engine=.*?)```"));
    // As the server loads it: the folder says the rest.
    Criteria<Input, Output> criteria =
        Criteria.builder().setTypes(Input.class, Output.class).optModelPath(model).build();
    Input request = new Input();
    request.addProperty("Content-Type", "image/png");
    request.add("data", Files.readAllBytes(picture()));
    try (ZooModel<Input, Output> zoo = criteria.loadModel();
        var predictor = zoo.newPredictor()) {
      Output answer = predictor.predict(request);
      assertThat(answer.getProperty("Content-Type", null)).isEqualTo("application/json");
      JsonArray classes = JsonParser.parseString(answer.getData().getAsString()).getAsJsonArray();
      assertThat(classes.get(0).getAsJsonObject().get("className").getAsString())
          .isEqualTo(served(model, picture()).best().getClassName());
      assertThat(IvitBlock.of(zoo).engine().description()).contains("2 threads");
    }
  }

  @Test
  void theCoordinatesAreTheProject() throws IOException {
    String pom = Files.readString(Path.of("..", "pom.xml"));
    Matcher version = Pattern.compile("<version>([^<]+)</version>").matcher(pom);
    assertThat(version.find()).isTrue();
    assertThat(block("```xml\\R(.*?)```"))
        .contains("<groupId>org.ivit</groupId>")
        .contains("<artifactId>ivit-djl</artifactId>")
        .contains("<version>" + version.group(1) + "</version>");
  }

  private static String block(String pattern) throws IOException {
    Matcher block = Pattern.compile(pattern, Pattern.DOTALL).matcher(Files.readString(GUIDE));
    assertThat(block.find()).isTrue();
    return block.group(1);
  }
}
