package org.ivit.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageModelTest {
  private static final List<String> CLASSES =
      List.of("n01\tcrane, bird", "n02\tcrane", "n03\tcat", "dog");

  @TempDir Path folder;

  private IntegerCheckpoint classifier;
  private Path file;
  private Path picture;

  private static IntegerGraph graph(String model) {
    return ObservedModel.graph(FamilyModels.architecture(model), Scheme.EXACT, new Random(7));
  }

  private static IntegerCheckpoint checkpoint(String model, List<String> classes) {
    return new IntegerCheckpoint(
        graph(model),
        Preprocess.imagenet(new Size(18, 26), new Size(16, 24)),
        classes,
        Provenance.UNKNOWN);
  }

  @BeforeEach
  void write() throws IOException {
    classifier = checkpoint("deit3", CLASSES);
    file = folder.resolve("deit3.ivit.safetensors");
    CheckpointFile.write(file, classifier);
    picture = picture(1);
  }

  private Path picture(int seed) throws IOException {
    BufferedImage image = new BufferedImage(40 + seed, 31, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(seed);
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        image.setRGB(x, y, random.nextInt(1 << 24));
      }
    }
    Path png = folder.resolve("picture" + seed + ".png");
    ImageIO.write(image, "png", png.toFile());
    return png;
  }

  /** By the single steps that programs without the façade take. */
  private static int[] expected(IntegerCheckpoint checkpoint, Path picture) {
    Preprocess preprocess = checkpoint.preprocess();
    Rgb seen = new EvaluationTransform(preprocess).apply(ImageDecoder.decode(picture));
    PixelTable table =
        PixelTable.of(preprocess.mean(), preprocess.std(), checkpoint.graph().inputScale());
    try (Engine engine = Engines.open(checkpoint.graph(), "reference")) {
      return engine.logits(table.apply(seen.data(), 1), 1);
    }
  }

  @Test
  void everyFormOfAPictureHasTheSameLogits() throws IOException {
    Rgb decoded = ImageDecoder.decode(picture);
    EvaluationTransform transform = new EvaluationTransform(classifier.preprocess());
    Map<String, Picture> forms = new LinkedHashMap<>();
    forms.put("file", Picture.of(picture));
    forms.put("bytes", Picture.of(Files.readAllBytes(picture)));
    forms.put("stream", Picture.of(new ByteArrayInputStream(Files.readAllBytes(picture))));
    forms.put("image", Picture.of(ImageIO.read(picture.toFile())));
    forms.put("pixels", Picture.of(decoded));
    forms.put("transformed", Picture.transformed(transform.apply(decoded)));
    byte[] message = new byte[5 + 3 * 24 * 16 + 7];
    System.arraycopy(transform.apply(decoded).data(), 0, message, 5, 3 * 24 * 16);
    forms.put("message", Picture.transformed(new Size(16, 24), message, 5));
    forms.put("normalised", Picture.normalised(transform.normalised(decoded)));
    int[] expected = expected(classifier, picture);
    try (ImageClassifier model = ImageClassifier.open(file)) {
      forms.forEach(
          (form, given) -> {
            assertThat(model.classify(given).logits()).as(form).containsExactly(expected);
            assertThat(model.classifyAsync(given).join().logits())
                .as(form)
                .containsExactly(expected);
          });
      assertThat(model.classify(picture).logits()).containsExactly(expected);
      assertThat(model.classify(List.copyOf(forms.values())))
          .allSatisfy(one -> assertThat(one.logits()).containsExactly(expected));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 32})
  void aListIsAnsweredInItsOrderWhateverTheBatch(int batchSize) throws IOException {
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      files.add(picture(i));
    }
    ModelOptions options = ModelOptions.builder().batchSize(batchSize).threads(2).build();
    try (ImageClassifier model = ImageClassifier.open(file, options)) {
      List<int[]> answers = model.answers(files.stream().map(Picture::of).toList());
      assertThat(answers).hasSize(7);
      for (int i = 0; i < 7; i++) {
        assertThat(answers.get(i)).containsExactly(expected(classifier, files.get(i)));
      }
      assertThat(model.classify(List.of())).isEmpty();
    }
  }

  @Test
  void classesHaveNamesIdentifiersAndProbabilities() {
    try (ImageClassifier model = ImageClassifier.open(file)) {
      Classification answer = model.classify(picture);
      List<Classification.Score> all = answer.top(9);
      assertThat(all).hasSize(4);
      assertThat(answer.top(1)).containsExactly(answer.best());
      assertThat(all).extracting(Classification.Score::id).contains("n01", "n02", "n03", "dog");
      assertThat(all)
          .extracting(Classification.Score::name)
          .contains("crane, bird", "crane", "cat", "dog");
      assertThat(all)
          .isSortedAccordingTo((a, b) -> answer.logits()[b.index()] - answer.logits()[a.index()]);
      double sum = Arrays.stream(answer.logits()).mapToDouble(q -> value(answer, q)).sum();
      assertThat(all)
          .allSatisfy(
              score -> {
                int logit = answer.logits()[score.index()];
                assertThat(score.probability())
                    .isEqualTo(value(answer, logit) / sum, within())
                    .isEqualTo(answer.probabilities()[score.index()]);
                assertThat(answer.realLogits()[score.index()]).isEqualTo(logit * answer.scale());
              });
      assertThat(answer.toString()).startsWith(answer.best().name() + " ");
      assertThatThrownBy(() -> answer.top(0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static Offset<Double> within() {
    return Offset.offset(1e-12);
  }

  private static double value(Classification answer, int logit) {
    return Math.exp((double) answer.scale() * logit);
  }

  @Test
  void classesWithoutNamesAreNumbered() {
    IntegerCheckpoint numbered =
        checkpoint("deit3", List.of("class 0", "class 1", "class 2", "class 3"));
    try (ImageClassifier model = ImageClassifier.open(numbered, ModelOptions.standard())) {
      assertThat(model.info().classes()).contains(new ClassLabel(3, "class 3", "class 3"));
    }
  }

  @Test
  void saysWhatItIsAndWhatRunsIt() {
    ModelOptions options = ModelOptions.builder().engine("cpu").kernels("java").threads(2).build();
    try (ImageClassifier model = ImageClassifier.open(file, options)) {
      ModelInfo info = model.info();
      assertThat(info.name()).isEqualTo("deit3");
      assertThat(info.family()).isEqualTo("vit");
      assertThat(info.answer()).isEqualTo(Answer.CLASSES);
      assertThat(info.outputs()).isEqualTo(4);
      assertThat(info.outputScale()).isEqualTo(classifier.graph().logitScale());
      assertThat(info.inputSize()).isEqualTo(new Size(16, 24));
      assertThat(info.inputScale()).isEqualTo(classifier.graph().inputScale());
      assertThat(info.preprocess()).isEqualTo(classifier.preprocess());
      assertThat(info.provenance()).isEqualTo(Provenance.UNKNOWN);
      assertThat(info.engine()).isEqualTo("cpu");
      assertThat(info.backend().kernels()).isEqualTo("java");
      assertThat(info.backend().threads()).isEqualTo(2);
    }
  }

  @Test
  void anEmbedderGivesCodesValuesAndUnitVectors() {
    IntegerCheckpoint features = checkpoint("dino", List.of());
    try (ImageEmbedder model = ImageEmbedder.open(features, ModelOptions.standard())) {
      Embedding feature = model.embed(picture);
      int[] expected = expected(features, picture);
      assertThat(feature.codes()).containsExactly(expected);
      assertThat(model.embedAsync(Picture.of(picture)).join().codes()).containsExactly(expected);
      assertThat(model.answers(List.of(Picture.of(picture))).get(0)).containsExactly(expected);
      assertThat(feature.width()).isEqualTo(model.info().outputs()).isEqualTo(12);
      assertThat(feature.scale()).isEqualTo(features.graph().logitScale());
      float[] values = feature.values();
      assertThat(IntStream.range(0, 12))
          .allSatisfy(c -> assertThat(values[c]).isEqualTo(expected[c] * feature.scale()));
      double length = Math.sqrt(Arrays.stream(expected).mapToDouble(q -> (double) q * q).sum());
      float[] unit = feature.normalised();
      assertThat(IntStream.range(0, 12))
          .allSatisfy(c -> assertThat(unit[c]).isEqualTo((float) (expected[c] / length)));
      assertThat(model.info().classes()).isEmpty();
    }
    assertThat(new Embedding(new int[3], 1).normalised()).containsOnly(0);
  }

  @Test
  void theOtherKindIsRefused() {
    IntegerCheckpoint features = checkpoint("dino", List.of());
    Path dino = folder.resolve("dino.ivit.safetensors");
    CheckpointFile.write(dino, features);
    assertThatThrownBy(() -> ImageClassifier.open(dino))
        .isInstanceOf(InputException.class)
        .hasMessage(
            dino
                + ": answers with features, expected a model that answers with classes"
                + " (ImageEmbedder opens this one)");
    assertThatThrownBy(() -> ImageEmbedder.open(classifier, ModelOptions.standard()))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "deit3: answers with classes, expected a model that answers with features"
                + " (ImageClassifier opens this one)");
    try (ImageModel one = ImageModel.open(file, ModelOptions.standard());
        ImageModel other = ImageModel.open(features, ModelOptions.standard())) {
      assertThat(one).isInstanceOf(ImageClassifier.class);
      assertThat(other).isInstanceOf(ImageEmbedder.class);
    }
  }

  @Test
  void picturesThatCannotBeUsedAreNamed() throws IOException {
    byte[] damaged = Arrays.copyOf(Files.readAllBytes(picture(0)), 1000);
    Path missing = folder.resolve("none.jpg");
    float[] notFinite = new float[3 * 16 * 24];
    notFinite[5] = Float.NaN;
    ModelOptions small = ModelOptions.builder().mostPixels(40 * 31).build();
    try (ImageClassifier model = ImageClassifier.open(file, small)) {
      assertRefused(model, Picture.of(missing), missing + ": no such picture");
      assertRefused(model, Picture.of(damaged), "picture: corrupt picture: ");
      assertRefused(model, Picture.of(damaged).named("upload"), "upload: corrupt picture: ");
      assertRefused(
          model,
          Picture.of(picture),
          picture + ": found a picture of 41x31 pixels, expected at most 1240 in all");
      assertRefused(
          model,
          Picture.transformed(new Rgb(2, 1, new byte[6])),
          "picture: found 2x1 pixels, expected 24x16 as the model sees them");
      assertRefused(
          model,
          Picture.normalised(new float[9]),
          "picture: found 9 normalised values, expected 1152 of 3 channels of 24x16 pixels");
      assertRefused(
          model, Picture.normalised(notFinite), "picture: element 5 is NaN, expected a finite");
      assertThatThrownBy(
              () -> model.classify(List.of(Picture.of(picture(0)), Picture.of(new byte[0]))))
          .isInstanceOf(InputException.class)
          .hasMessage("picture 1: the picture file is empty");
      assertThatThrownBy(() -> model.classifyAsync(Picture.of(new byte[0])).join())
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(InputException.class);
    }
  }

  private static void assertRefused(ImageClassifier model, Picture picture, String message) {
    assertThatThrownBy(() -> model.classify(picture))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, ImageDecoder.MAX_PIXELS + 1})
  void optionsOutOfRangeAreRefused(long pixels) {
    assertThatThrownBy(() -> ModelOptions.builder().mostPixels(pixels).build())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ModelOptions.builder().batchSize((int) Math.min(0, pixels)).build())
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void manyCallersAtOnceHaveTheAnswersOfOne() throws Exception {
    List<Path> files = List.of(picture(0), picture(1), picture(2), picture(3));
    List<int[]> expected = files.stream().map(f -> expected(classifier, f)).toList();
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try (ImageClassifier model = ImageClassifier.open(file)) {
      List<Future<List<int[]>>> calls = new ArrayList<>();
      List<CompletableFuture<int[]>> futures = new ArrayList<>();
      for (int call = 0; call < 40; call++) {
        List<Picture> batch = files.subList(0, 1 + call % 4).stream().map(Picture::of).toList();
        calls.add(callers.submit(() -> model.answers(batch)));
        futures.add(model.answerAsync(Picture.of(files.get(call % 4))));
      }
      for (int call = 0; call < 40; call++) {
        List<int[]> answers = calls.get(call).get();
        assertThat(answers).hasSize(1 + call % 4);
        for (int i = 0; i < answers.size(); i++) {
          assertThat(answers.get(i)).containsExactly(expected.get(i));
        }
        assertThat(futures.get(call).get()).containsExactly(expected.get(call % 4));
      }
    } finally {
      callers.shutdown();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "java", "reference"})
  void closingAnswersWhatWasAcceptedAndRefusesTheRest(String engine) throws Exception {
    ModelOptions.Builder builder = ModelOptions.builder().threads(2);
    ModelOptions options =
        (engine.equals("java") ? builder.kernels("java") : builder.engine(engine)).build();
    int[] expected = expected(classifier, picture);
    ImageClassifier model = ImageClassifier.open(file, options);
    List<CompletableFuture<int[]>> futures = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      futures.add(model.answerAsync(Picture.of(picture)));
    }
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<Integer> caller =
        CompletableFuture.supplyAsync(
            () -> {
              int answered = 0;
              try {
                while (true) {
                  assertThat(model.classify(picture).logits()).containsExactly(expected);
                  answered++;
                  begun.countDown();
                }
              } catch (IllegalStateException closed) {
                return answered;
              }
            });
    begun.await();
    model.close();
    assertThat(futures).allSatisfy(f -> assertThat(f.getNow(null)).containsExactly(expected));
    assertThat(caller.get()).isPositive();
    assertThatThrownBy(() -> model.classify(picture))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the model is closed");
    assertThatThrownBy(() -> model.classifyAsync(Picture.of(picture)))
        .isInstanceOf(IllegalStateException.class);
    model.close();
  }

  @Test
  void whatHangsOnAFutureMayCloseTheModel() {
    ImageClassifier model = ImageClassifier.open(file, ModelOptions.builder().threads(1).build());
    HeldImage held = new HeldImage();
    CompletableFuture<Void> closing =
        model.answerAsync(Picture.of(held)).thenAccept(answer -> model.close());
    List<CompletableFuture<int[]>> later = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      later.add(model.answerAsync(Picture.of(picture)));
    }
    held.release.countDown();
    closing.join();
    int[] expected = expected(classifier, picture);
    assertThat(later).allSatisfy(f -> assertThat(f.join()).containsExactly(expected));
  }

  @Test
  void aFutureThatIsDoneBeforeItsTurnIsPassedOver() {
    HeldImage first = new HeldImage();
    HeldImage second = new HeldImage();
    try (ImageClassifier model =
        ImageClassifier.open(file, ModelOptions.builder().threads(1).build())) {
      CompletableFuture<int[]> running = model.answerAsync(Picture.of(first));
      CompletableFuture<int[]> cancelled = model.answerAsync(Picture.of(second));
      cancelled.cancel(false);
      first.release.countDown();
      model.answerAsync(Picture.of(picture)).join();
      assertThat(running).isCompleted();
      assertThat(cancelled).isCancelled();
    }
    assertThat(first.asked).isTrue();
    assertThat(second.asked).isFalse();
  }

  /** Gives its colours when it is released, and remembers that it was asked for them. */
  private static final class HeldImage extends BufferedImage {
    final CountDownLatch release = new CountDownLatch(1);
    volatile boolean asked;

    HeldImage() {
      super(4, 4, BufferedImage.TYPE_INT_RGB);
    }

    @Override
    public int[] getRGB(int x, int y, int w, int h, int[] rgb, int offset, int scan) {
      asked = true;
      try {
        release.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return super.getRGB(x, y, w, h, rgb, offset, scan);
    }
  }
}
