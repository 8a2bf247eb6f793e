package org.ivit.train.device.integer;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.Scheme;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.HeadPart;
import org.ivit.train.device.pass.PartMaker;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

/**
 * The parts of a quantized network.
 *
 * @param pass what parts share
 * @param scheme how it is quantized
 */
public record QuantizedParts(Pass pass, Scheme scheme) implements PartMaker {
  @Override
  public DevicePart embedding(EmbeddingShape shape, int from) {
    return new DeviceEmbedding(pass, shape, scheme, from);
  }

  @Override
  public DevicePart normedEmbedding(EmbeddingShape shape, int from) {
    return new DeviceNormedEmbedding(pass, shape, scheme, from);
  }

  @Override
  public DevicePart block(Block site, String input, DropPath drop1, DropPath drop2, int from) {
    return new DeviceBlock(pass, site, input, scheme, drop1, drop2, from);
  }

  @Override
  public DevicePart merging(Swin.Stage stage, int from) {
    return new DeviceMerging(pass, stage, scheme, from);
  }

  @Override
  public HeadPart head(HeadShape shape, boolean pooled, String input, int from) {
    return new DeviceHead(pass, shape, pooled, input, scheme, from);
  }
}
