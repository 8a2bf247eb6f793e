package org.ivit.core.engine.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Transfers;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;

/** A model on a device: its constants, and the launches of a forward pass. */
final class Forward implements GraphVisitor<PartLayers> {
  private final Constants constants;
  private final Architecture architecture;
  private final List<PartLayers> parts = new ArrayList<>();

  /** Tokens from one picture to the next in the stream, whose first ones are in use. */
  private int spacing;

  /**
   * @param constants receives them
   * @param graph any model
   */
  Forward(Constants constants, IntegerGraph graph) {
    this.constants = constants;
    this.architecture = graph.architecture();
    graph.parts().forEach(part -> parts.add(part.accept(this)));
  }

  @Override
  public PartLayers stem(IntegerStem stem) {
    spacing = stem.part().outputTokens();
    return new StemLayers(constants, stem);
  }

  @Override
  public PartLayers block(IntegerBlock block) {
    requireWhole(block.part().name(), block.part().tokens());
    // Of the last block only the tokens that are read behind it are needed.
    return new BlockLayers(
        constants, block, architecture.parts().get(parts.size() + 1).readTokens());
  }

  @Override
  public PartLayers merging(IntegerMerging merging) {
    requireWhole(merging.part().name(), merging.part().tokens());
    spacing = merging.part().outputTokens();
    return new MergingLayers(constants, merging);
  }

  private void requireWhole(String part, int tokens) {
    if (tokens != spacing) {
      throw new InputException(
          "engine cuda: %s: found a block or a merging of %d of %d tokens, expected none behind a pool"
              .formatted(part, tokens, spacing));
    }
  }

  @Override
  public PartLayers norm(IntegerNorm norm) {
    return new StreamNormLayers(constants, norm, spacing);
  }

  @Override
  public PartLayers meanPooling(IntegerMeanPooling pooling) {
    return new MeanPoolingLayers(pooling, spacing);
  }

  @Override
  public PartLayers attentionPooling(IntegerAttentionPooling pooling) {
    return new AttentionPoolingLayers(constants, pooling, spacing);
  }

  @Override
  public PartLayers head(IntegerHead head) {
    return new HeadLayers(constants, head, spacing);
  }

  /**
   * The launches for a number of pictures, from {@link #pixels} to {@link #logits}.
   *
   * @param buffers of the pass
   * @param pictures at least 1
   */
  List<Launch> launches(PassBuffers buffers, int pictures) {
    List<Launch> launches = new ArrayList<>();
    parts.forEach(part -> part.add(launches, constants.device(), buffers, pictures));
    return launches;
  }

  /** Returns the copies around the launches. */
  Transfers transfers(PassBuffers buffers, int pictures) {
    return new Transfers(
        pixels(buffers, pictures),
        pictures * pictureBytes(),
        logits(buffers, pictures),
        pictures * classes());
  }

  /** Returns bytes of a picture's input codes. */
  int pictureBytes() {
    return architecture.pixels();
  }

  /** Returns logits of a picture. */
  int classes() {
    return architecture.classes();
  }

  /** Returns the most rows of a kernel for a picture. */
  int tokens() {
    return architecture.stem().outputTokens();
  }

  /** Returns where input codes go. */
  long pixels(PassBuffers buffers, int pictures) {
    return buffers.of(PassBuffers.Name.PIXELS, (long) pictures * pictureBytes(), 1);
  }

  /** Returns where logits are. */
  long logits(PassBuffers buffers, int pictures) {
    return buffers.of(PassBuffers.Name.LOGITS, (long) pictures * classes(), 4);
  }
}
