package org.ivit.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.modality.cv.transform.CenterCrop;
import ai.djl.modality.cv.transform.Normalize;
import ai.djl.modality.cv.transform.ResizeShort;
import ai.djl.modality.cv.transform.ToTensor;
import ai.djl.modality.cv.translator.ImageClassificationTranslator;
import ai.djl.modality.cv.translator.ImageFeatureExtractor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TranslatorsTest {
  private static final List<String> NAMES = List.of("n1 cat", "n2 dog", "n3 cat");

  @TempDir Path folder;

  private final IntegerCheckpoint checkpoint = SmallModels.classifier(SmallModels.PREPROCESS);
  private final Rgb picture = SmallModels.noise(21, 14, 7);
  private Path file;

  @BeforeEach
  void write() {
    file = SmallModels.write(folder, "net", checkpoint);
  }

  private static Image image(Rgb rgb) {
    return ImageFactory.getInstance().fromImage(SmallModels.buffered(rgb));
  }

  private <I, O> ZooModel<I, O> zoo(Class<I> input, Class<O> output, String... arguments)
      throws Exception {
    Criteria.Builder<I, O> criteria =
        Criteria.builder()
            .setTypes(input, output)
            .optModelPath(folder)
            .optEngine("IVIT")
            .optTranslatorFactory(new IvitTranslatorFactory());
    for (int i = 0; i < arguments.length; i += 2) {
      criteria.optArgument(arguments[i], arguments[i + 1]);
    }
    return criteria.build().loadModel();
  }

  private <I> Classifications classify(Class<I> type, I input) throws Exception {
    try (ZooModel<I, Classifications> model = zoo(type, Classifications.class);
        Predictor<I, Classifications> predictor = model.newPredictor()) {
      return predictor.predict(input);
    }
  }

  private void asExpected(Classifications found) {
    asExpected(found, SmallModels.expected(checkpoint, picture));
  }

  /** Softmax of the logits in float64, each rounded to float32. */
  private static void asExpected(Classifications found, float[] logits) {
    double max = Math.max(logits[0], Math.max(logits[1], logits[2]));
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    assertThat(found.getClassNames()).isEqualTo(NAMES);
    for (int c = 0; c < 3; c++) {
      assertThat(found.getProbabilities().get(c))
          .isEqualTo((double) (float) (Math.exp(logits[c] - max) / sum));
    }
  }

  @Test
  void theCheckpointSaysHowPicturesAreClassified() throws Exception {
    asExpected(classify(Image.class, image(picture)));
  }

  @Test
  void filesAddressesAndStreamsAreClassified() throws Exception {
    Path png = folder.resolve("picture.png");
    ImageIO.write(SmallModels.buffered(picture), "png", png.toFile());
    asExpected(classify(Path.class, png));
    asExpected(classify(URL.class, png.toUri().toURL()));
    try (InputStream in = Files.newInputStream(png)) {
      asExpected(classify(InputStream.class, in));
    }
  }

  @Test
  void aRequestOfDjlServingIsAnsweredInJson() throws Exception {
    Path png = folder.resolve("picture.png");
    ImageIO.write(SmallModels.buffered(picture), "png", png.toFile());
    Input request = new Input();
    request.add("data", Files.readAllBytes(png));
    try (ZooModel<Input, Output> model = zoo(Input.class, Output.class, "topK", "2");
        Predictor<Input, Output> predictor = model.newPredictor()) {
      Classifications expected = classify(Image.class, image(picture));
      JsonArray classes =
          JsonParser.parseString(predictor.predict(request).getData().getAsString())
              .getAsJsonArray();
      assertThat(classes).hasSize(2);
      assertThat(classes.get(0).getAsJsonObject().get("className").getAsString())
          .isEqualTo(expected.best().getClassName());
    }
  }

  @Test
  void batchesAnswerAsSinglePictures() throws Exception {
    Rgb other = SmallModels.noise(8, 30, 8);
    try (ZooModel<Image, Classifications> model = zoo(Image.class, Classifications.class);
        Predictor<Image, Classifications> predictor = model.newPredictor()) {
      List<Classifications> both =
          predictor.batchPredict(List.of(image(picture), image(other), image(picture)));
      asExpected(both.get(0));
      asExpected(both.get(1), SmallModels.expected(checkpoint, other));
      asExpected(both.get(2));
    }
  }

  @Test
  void threadsShareAModel() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (ZooModel<Image, Classifications> model = zoo(Image.class, Classifications.class)) {
      List<Future<Classifications>> answers = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        answers.add(
            threads.submit(
                () -> {
                  try (Predictor<Image, Classifications> predictor = model.newPredictor()) {
                    return predictor.predict(image(picture));
                  }
                }));
      }
      for (Future<Classifications> answer : answers) {
        asExpected(answer.get());
      }
      assertThat(model.getNDManager().getManagedArrays()).isEmpty();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void djlsOwnClassificationWorksUnchanged() throws Exception {
    Preprocess preprocess = Preprocess.imagenet(8, 8);
    IntegerCheckpoint same = SmallModels.classifier(preprocess);
    Rgb fitting = SmallModels.noise(8, 8, 9);
    try (Model model = SmallModels.load(SmallModels.write(folder, "same", same));
        Predictor<Image, Classifications> predictor =
            model.newPredictor(
                ImageClassificationTranslator.builder(TranslatorArguments.of(model)).build())) {
      // Nothing to resize: the rest of both pipelines is the same in every bit.
      float[] expected = SmallModels.expected(same, fitting);
      asExpected(predictor.predict(image(fitting)), expected);
      asExpected(predictor.batchPredict(List.of(image(picture), image(fitting))).get(1), expected);
    }
  }

  @Test
  void argumentsDoWhatDjlsTransformsDo() throws Exception {
    Preprocess preprocess = SmallModels.PREPROCESS;
    try (Model model = SmallModels.load(file);
        Predictor<Image, Classifications> byArguments =
            model.newPredictor(
                ImageClassificationTranslator.builder(TranslatorArguments.of(model)).build());
        Predictor<Image, Classifications> byTransforms =
            model.newPredictor(
                ImageClassificationTranslator.builder()
                    .addTransform(new ResizeShort(10, -1, Image.Interpolation.BICUBIC))
                    .addTransform(new CenterCrop(8, 8))
                    .addTransform(new ToTensor())
                    .addTransform(new Normalize(preprocess.mean(), preprocess.std()))
                    .optApplySoftmax(true)
                    .build())) {
      // Pixels are rounded otherwise than the model's transform rounds them.
      List<Double> found = byArguments.predict(image(picture)).getProbabilities();
      assertThat(found).isEqualTo(byTransforms.predict(image(picture)).getProbabilities());
      assertThat(found).isNotEqualTo(classify(Image.class, image(picture)).getProbabilities());
    }
  }

  @Test
  void aPictureThatNobodyTransformedIsRefused() throws Exception {
    Criteria<Image, Classifications> criteria =
        Criteria.builder()
            .setTypes(Image.class, Classifications.class)
            .optModelPath(file)
            .optEngine("IVIT")
            .build();
    try (ZooModel<Image, Classifications> model = criteria.loadModel();
        Predictor<Image, Classifications> predictor = model.newPredictor()) {
      assertThatThrownBy(() -> predictor.predict(image(picture)))
          .isInstanceOf(TranslateException.class)
          .cause()
          .isInstanceOf(InputException.class)
          .hasMessageContaining("found float32 (1, 3, 14, 21)")
          .hasMessageContaining("IvitTranslatorFactory");
    }
  }

  @Test
  void djlsOwnFeatureExtractorWorksUnchanged() throws Exception {
    IntegerCheckpoint features = SmallModels.features();
    // Nothing to resize, but a margin to cut.
    Rgb fitting = SmallModels.noise(10, 10, 9);
    float[] expected = SmallModels.expected(features, fitting);
    try (Model model = SmallModels.load(SmallModels.write(folder, "features", features));
        Predictor<Image, float[]> djl =
            model.newPredictor(
                ImageFeatureExtractor.builder(TranslatorArguments.of(model)).build());
        Predictor<Image, float[]> own = model.newPredictor(new IvitImageFeatureExtractor())) {
      assertThat(djl.predict(image(fitting))).isEqualTo(expected);
      assertThat(own.predict(image(fitting))).isEqualTo(expected);
    }
  }

  @Test
  void aModelOfFeaturesHasNoClasses() throws Exception {
    Path features = SmallModels.write(folder, "features", SmallModels.features());
    try (Model model = SmallModels.load(features);
        Predictor<Image, Classifications> predictor =
            model.newPredictor(new IvitImageClassificationTranslator())) {
      assertThatThrownBy(
              () ->
                  new IvitTranslatorFactory()
                      .newInstance(Image.class, Classifications.class, model, Map.of()))
          .isInstanceOf(InputException.class)
          .hasMessage("model small: answers with features, expected classes; ask for float[]");
      assertThatThrownBy(() -> predictor.predict(image(picture)))
          .cause()
          .isInstanceOf(InputException.class);
      Translator<Input, Output> serving =
          new IvitTranslatorFactory().newInstance(Input.class, Output.class, model, Map.of());
      assertThat(serving).isNotNull();
    }
  }

  @Test
  void aModelOfClassesGivesItsLogits() throws Exception {
    try (ZooModel<Image, float[]> model = zoo(Image.class, float[].class);
        Predictor<Image, float[]> predictor = model.newPredictor()) {
      assertThat(predictor.predict(image(picture)))
          .isEqualTo(SmallModels.expected(checkpoint, picture));
    }
  }

  @Test
  void topKSaysHowManyClassesAreNamed() throws Exception {
    try (ZooModel<Image, Classifications> model =
            zoo(Image.class, Classifications.class, "topK", "1.0");
        Predictor<Image, Classifications> predictor = model.newPredictor()) {
      assertThat(predictor.predict(image(picture)).topK()).hasSize(1);
    }
    for (String wrong : List.of("0", "-1", "1.5", "some")) {
      assertThatThrownBy(() -> zoo(Image.class, Classifications.class, "topK", wrong))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("topK: found ");
    }
  }

  @Test
  void translatorsExpandToOtherTypes() {
    assertThat(
            new IvitImageClassificationTranslator()
                .getExpansions()
                .isSupported(Path.class, Classifications.class))
        .isTrue();
    assertThat(
            new IvitImageFeatureExtractor().getExpansions().isSupported(Input.class, Output.class))
        .isTrue();
  }

  @Test
  void argumentsSayWhatTheCheckpointSays() {
    assertThat(TranslatorArguments.of(SmallModels.PREPROCESS))
        .isEqualTo(
            Map.of(
                "width",
                8,
                "height",
                8,
                "resizeShort",
                "10,-1,BICUBIC",
                "centerCrop",
                true,
                "normalize",
                "0.485,0.456,0.406,0.229,0.224,0.225",
                "applySoftmax",
                true));
    float[] half = {0.5f, 0.5f, 0.5f};
    Preprocess squash =
        new Preprocess(
            new Size(6, 8), new Size(6, 8), Interpolation.BILINEAR, CropMode.SQUASH, half, half);
    assertThat(TranslatorArguments.of(squash))
        .containsEntry("resize", "8,6,BILINEAR")
        .doesNotContainKey("resizeShort");
    assertThatThrownBy(() -> TranslatorArguments.of(squash.withCropMode(CropMode.CENTER)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("preprocess.resize: found ");
  }
}
