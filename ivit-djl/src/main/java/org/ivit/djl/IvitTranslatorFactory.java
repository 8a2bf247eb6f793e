package org.ivit.djl;

import ai.djl.Model;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.translator.BaseImageTranslatorFactory;
import ai.djl.translate.ArgumentsUtil;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.io.Serializable;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;

/**
 * Translators that take transform, class names and softmax from the checkpoint: of {@link Image},
 * {@link java.nio.file.Path}, {@link java.net.URL}, address or {@link java.io.InputStream} to
 * {@link Classifications} or {@code float[]}, and of {@link Input} to {@link Output} for DJL
 * Serving, as JSON. The argument {@code topK} says how many classes are named, 5 unless told
 * otherwise.
 */
public final class IvitTranslatorFactory implements TranslatorFactory, Serializable {
  private static final long serialVersionUID = 1L;

  static final BaseImageTranslatorFactory<Classifications> CLASSES = new ClassesFactory();
  static final BaseImageTranslatorFactory<float[]> FEATURES = new FeaturesFactory();

  @Override
  public Set<Pair<Type, Type>> getSupportedTypes() {
    Set<Pair<Type, Type>> types = new HashSet<>(CLASSES.getSupportedTypes());
    types.addAll(FEATURES.getSupportedTypes());
    return types;
  }

  /**
   * {@inheritDoc}
   *
   * @param model loaded by this engine
   * @throws InputException if it is another engine's, if classes are asked of a model of features,
   *     or if {@code topK} is no positive number
   */
  @Override
  public <I, O> Translator<I, O> newInstance(
      Class<I> input, Class<O> output, Model model, Map<String, ?> arguments) {
    IvitBlock block = IvitBlock.of(model);
    boolean features =
        output == float[].class || (output == Output.class && block.answer() == Answer.FEATURES);
    if (!features) {
      IvitImageClassificationTranslator.requireClasses(block, model.getName());
    }
    return (features ? FEATURES : CLASSES).newInstance(input, output, model, arguments);
  }

  private static final class ClassesFactory extends BaseImageTranslatorFactory<Classifications> {
    @Override
    protected Translator<Image, Classifications> buildBaseTranslator(
        Model model, Map<String, ?> arguments) {
      String topK = ArgumentsUtil.stringValue(arguments, "topK");
      return topK == null
          ? new IvitImageClassificationTranslator()
          : new IvitImageClassificationTranslator(number(topK));
    }

    /** DJL's metadata has numbers with a fraction of zero. */
    private static int number(String topK) {
      try {
        return new BigDecimal(topK).intValueExact();
      } catch (ArithmeticException | NumberFormatException e) {
        throw new InputException("topK: found '%s', expected a number".formatted(topK), e);
      }
    }

    @Override
    public Class<Classifications> getBaseOutputType() {
      return Classifications.class;
    }
  }

  private static final class FeaturesFactory extends BaseImageTranslatorFactory<float[]> {
    @Override
    protected Translator<Image, float[]> buildBaseTranslator(
        Model model, Map<String, ?> arguments) {
      return new IvitImageFeatureExtractor();
    }

    @Override
    public Class<float[]> getBaseOutputType() {
      return float[].class;
    }
  }
}
