package org.ivit.train.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** The form of the block layers as saved networks have it. */
class PartLayerTest {
  private static final ObjectMapper JSON = NeuralNetConfiguration.mapper();

  private static final List<String> INHERITED =
      List.of(
          "activationFn",
          "biasInit",
          "biasUpdater",
          "constraints",
          "gainInit",
          "gradientNormalization",
          "gradientNormalizationThreshold",
          "idropout",
          "iupdater",
          "layerName",
          "regularization",
          "regularizationBias",
          "timeDistributedFormat",
          "weightInitFn",
          "weightNoise");

  private static final Architecture SWIN =
      new Swin("s", 16, 2, 2, 4, List.of(2, 1, 1), List.of(1, 2, 2), 3, 1e-5).architecture();

  private static final Architecture DISTILLED =
      new Vit("d", 32, 8, 24, 6, 3, 96, 10, 1e-6, true).architecture();

  private static final Architecture SMALL =
      new Vit("s", 32, 8, 24, 6, 3, 96, 10, 1e-6).architecture();

  private static List<Layer> layers(
      Architecture architecture, double stochasticDepth, Scheme scheme) {
    return PartSpec.of(architecture, stochasticDepth).stream()
        .<Layer>map(spec -> new PartLayer(spec, scheme))
        .toList();
  }

  /** The own properties of a layer as JSON, without those that Deeplearning4j gives to all. */
  private static String own(Layer layer) throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(JSON.writeValueAsString(layer));
    return json.remove(INHERITED).toString();
  }

  /** Of others their own sizes say how many tokens they get. */
  @Test
  void aNormOfTheFirstTokenSaysHowManyItGets() {
    Architecture headless = new Vit("h", 32, 8, 24, 6, 3, 96, 0, 1e-6).architecture();
    List<Layer> layers = new ArrayList<>(layers(headless, 0.25, null));
    assertThat(((PartLayer) layers.get(7)).getPart())
        .isEqualTo(
            "{\"part\":{\"part\":\"norm\",\"name\":\"norm\",\"tokens\":1,\"dim\":24,\"epsilon\":1.0E-6},"
                + "\"input\":{\"name\":\"blocks.5.residual2\",\"kind\":\"RESIDUAL\"},"
                + "\"inputTokens\":17,\"block\":0,\"dropPath\":0.0}");
    layers.remove(7);
    assertThat(layers).noneMatch(layer -> ((PartLayer) layer).getPart().contains("inputTokens"));
  }

  @Test
  void savedNetworksKeepTheirProperties() throws IOException {
    List<Layer> layers = layers(SMALL, 0.25, Scheme.EXACT);
    assertThat(own(layers.get(0)))
        .isEqualTo(
            "{\"@class\":\"org.ivit.train.layer.PartLayer\",\"nin\":3,\"nout\":24,"
                + "\"part\":\"{\\\"part\\\":{\\\"part\\\":\\\"stem\\\",\\\"image\\\":32,\\\"patch\\\":8,\\\"dim\\\":24,"
                + "\\\"leading\\\":[{\\\"name\\\":\\\"cls_token\\\",\\\"count\\\":1}],\\\"normed\\\":false,\\\"epsilon\\\":1.0E-6},"
                + "\\\"input\\\":null,\\\"block\\\":0,\\\"dropPath\\\":0.0}\","
                + "\"scheme\":\"{\\\"gelu\\\":\\\"exact\\\",\\\"softmax\\\":\\\"exact\\\",\\\"attentionBits\\\":16,\\\"outliers\\\":{}}\","
                + "\"weightDecay\":0.0}");
    assertThat(own(layers.get(6)))
        .isEqualTo(
            "{\"@class\":\"org.ivit.train.layer.PartLayer\",\"nin\":24,\"nout\":24,"
                + "\"part\":\"{\\\"part\\\":{\\\"part\\\":\\\"block\\\",\\\"name\\\":\\\"blocks.5\\\",\\\"dim\\\":24,\\\"heads\\\":3,"
                + "\\\"hidden\\\":96,\\\"tokens\\\":17,\\\"epsilon\\\":1.0E-6},"
                + "\\\"input\\\":{\\\"name\\\":\\\"blocks.4.residual2\\\",\\\"kind\\\":\\\"RESIDUAL\\\"},\\\"block\\\":5,\\\"dropPath\\\":0.25}\","
                + "\"scheme\":\"{\\\"gelu\\\":\\\"exact\\\",\\\"softmax\\\":\\\"exact\\\",\\\"attentionBits\\\":16,\\\"outliers\\\":{}}\","
                + "\"weightDecay\":0.0}");
  }

  @Test
  void comesBackEqualAndTellsEachPropertyApart() throws IOException {
    List<Layer> layers = new ArrayList<>();
    layers.addAll(layers(SMALL, 0.25, Scheme.EXACT));
    layers.addAll(layers(SMALL, 0.25, Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT)));
    layers.addAll(layers(SMALL, 0.25, null));
    layers.add(layers(SMALL, 0.5, null).get(2));
    Architecture other = new Vit("s", 32, 8, 24, 6, 3, 96, 10, 1e-5).architecture();
    layers.add(layers(other, 0.25, null).get(1));
    layers.addAll(List.of(layers(DISTILLED, 0, null).get(0), layers(DISTILLED, 0, null).get(7)));
    layers.addAll(layers(SWIN, 0.25, Scheme.EXACT));
    List<Layer> classes = layers(SWIN.withClasses(5), 0, null);
    layers.add(classes.get(classes.size() - 1));
    for (Layer layer : layers) {
      Layer again = JSON.readValue(JSON.writeValueAsString(layer), Layer.class);
      assertThat(layers.stream().filter(again::equals)).containsExactly(layer);
      assertThat(again).hasSameHashCodeAs(layer);
    }
  }
}
