package org.ivit.train.device.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.HeadPart;
import org.ivit.train.device.pass.PartMaker;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

/**
 * The parts of a network in floating point.
 *
 * @param pass what parts share
 * @param epsilon added to the variance in the norms
 */
public record FloatParts(Pass pass, double epsilon) implements PartMaker {
  @Override
  public DevicePart embedding(EmbeddingShape shape, int from) {
    return new DeviceFloatEmbedding(pass, shape, from);
  }

  @Override
  public DevicePart normedEmbedding(EmbeddingShape shape, int from) {
    return new DeviceFloatNormedEmbedding(pass, shape, epsilon, from);
  }

  @Override
  public DevicePart block(Block site, String input, DropPath drop1, DropPath drop2, int from) {
    return new DeviceFloatBlock(pass, site, epsilon, drop1, drop2, from);
  }

  @Override
  public DevicePart merging(Swin.Stage stage, int from) {
    return new DeviceFloatMerging(pass, stage, epsilon, from);
  }

  @Override
  public HeadPart head(HeadShape shape, boolean pooled, String input, int from) {
    return new DeviceFloatHead(pass, shape, pooled, epsilon, from);
  }
}
