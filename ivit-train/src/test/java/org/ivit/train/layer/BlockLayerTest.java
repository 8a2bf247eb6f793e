package org.ivit.train.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;
import org.junit.jupiter.api.Test;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** The form of the block layers as saved networks have it. */
class BlockLayerTest {
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

  private static final Swin SWIN =
      new Swin("s", 16, 2, 2, 4, List.of(2, 1, 1), List.of(1, 2, 2), 3, 1e-5);

  private static final Vit DISTILLED = new Vit("d", 32, 8, 24, 6, 3, 96, 10, 1e-6, true);

  private static Layer embedding(String scheme) {
    return new PatchEmbedding(new EmbeddingShape(32, 8, 24), scheme);
  }

  private static Layer block(double epsilon, String scheme) {
    return new TransformerBlock(
        new Block("blocks.5", 24, 3, 96, 17, null), 5, epsilon, 0.25, scheme);
  }

  private static Layer head(double epsilon, String scheme) {
    return new ClassificationHead(new HeadShape(17, 24, 10), 6, epsilon, scheme);
  }

  /** The own properties of a layer as JSON, without those that Deeplearning4j gives to all. */
  private static String own(Layer layer) throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(JSON.writeValueAsString(layer));
    return json.remove(INHERITED).toString();
  }

  @Test
  void savedNetworksKeepTheirProperties() throws IOException {
    assertThat(own(embedding("{}")))
        .isEqualTo(
            "{\"@class\":\"org.ivit.train.layer.PatchEmbedding\",\"dim\":24,"
                + "\"image\":32,\"leading\":[\"cls_token\"],\"nin\":3,\"nout\":24,\"patch\":8,\"scheme\":\"{}\","
                + "\"weightDecay\":0.0}");
    assertThat(own(block(1e-6, "{}")))
        .isEqualTo(
            "{\"@class\":\"org.ivit.train.layer.TransformerBlock\",\"block\":5,"
                + "\"dim\":24,\"dropPath\":0.25,\"epsilon\":1.0E-6,\"heads\":3,"
                + "\"hidden\":96,\"nin\":24,\"nout\":24,\"scheme\":\"{}\",\"tokens\":17,"
                + "\"weightDecay\":0.0}");
    assertThat(own(head(1e-6, null)))
        .isEqualTo(
            "{\"@class\":\"org.ivit.train.layer.ClassificationHead\",\"classes\":10,"
                + "\"depth\":6,\"dim\":24,\"epsilon\":1.0E-6,\"heads\":[\"head\"],\"nin\":24,"
                + "\"nout\":10,\"scheme\":null,\"tokens\":17,\"weightDecay\":0.0}");
  }

  @Test
  void comesBackEqualAndTellsEachPropertyApart() throws IOException {
    List<Layer> layers =
        List.of(
            embedding("{}"),
            embedding(null),
            block(1e-6, "{}"),
            block(1e-5, "{}"),
            block(1e-6, null),
            head(1e-6, "{}"),
            head(1e-5, "{}"),
            head(1e-6, null),
            new PatchEmbedding(new EmbeddingShape(32, 8, 24, DISTILLED.leading()), null),
            new ClassificationHead(
                new HeadShape(17, 24, 10, DISTILLED.classifiers()), 6, 1e-6, null),
            new NormedPatchEmbedding(SWIN, "{}"),
            new SwinBlock(SWIN, 0, 0.25, "{}"),
            new SwinBlock(SWIN, 1, 0.25, "{}"),
            new SwinBlock(SWIN, 1, 0.5, "{}"),
            new SwinBlock(SWIN.withClasses(5), 1, 0.5, "{}"),
            new PatchMerging(SWIN, 0, null),
            new PatchMerging(SWIN, 1, null),
            new PooledHead(SWIN, "{}"),
            new PooledHead(SWIN, null));
    for (Layer layer : layers) {
      Layer again = JSON.readValue(JSON.writeValueAsString(layer), Layer.class);
      assertThat(layers.stream().filter(again::equals)).containsExactly(layer);
      assertThat(again).hasSameHashCodeAs(layer);
    }
  }
}
