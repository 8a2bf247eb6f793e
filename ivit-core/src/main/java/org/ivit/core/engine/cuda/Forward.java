package org.ivit.core.engine.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Launch;
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
    return new StemLayers(constants, stem);
  }

  @Override
  public PartLayers block(IntegerBlock block) {
    // Of the last block only the tokens that the head reads are needed.
    return new BlockLayers(
        constants, block, architecture.parts().get(parts.size() + 1).readTokens());
  }

  @Override
  public PartLayers merging(IntegerMerging merging) {
    return new MergingLayers(constants, merging);
  }

  @Override
  public PartLayers norm(IntegerNorm norm) {
    throw new UnsupportedOperationException("Norm");
  }

  @Override
  public PartLayers meanPooling(IntegerMeanPooling pooling) {
    throw new UnsupportedOperationException("MeanPooling");
  }

  @Override
  public PartLayers attentionPooling(IntegerAttentionPooling pooling) {
    throw new UnsupportedOperationException("AttentionPooling");
  }

  @Override
  public PartLayers head(IntegerHead head) {
    return new HeadLayers(constants, head);
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
