package org.ivit.train.device.integer;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.PartSpec;

/**
 * The parts of a quantized network on the device.
 *
 * @param pass what parts share
 * @param spec of the part that is wanted
 * @param scheme how the network is quantized
 * @param from index of the part's first parameter in the network
 */
public record QuantizedParts(Pass pass, PartSpec spec, Scheme scheme, int from)
    implements PartVisitor<QuantizedPart> {
  @Override
  public QuantizedPart stem(Stem stem) {
    return new DeviceStem(pass, spec, stem, scheme, from);
  }

  @Override
  public QuantizedPart block(Block block) {
    return new DeviceBlock(pass, spec, block, scheme, from);
  }

  @Override
  public QuantizedPart merging(Merging merging) {
    return new DeviceMerging(pass, spec, merging, scheme, from);
  }

  @Override
  public QuantizedPart norm(Norm norm) {
    return new DeviceStreamNorm(pass, spec, norm, scheme, from);
  }

  @Override
  public QuantizedPart meanPooling(MeanPooling pooling) {
    return new DeviceMeanPooling(pass, spec, pooling, scheme, from);
  }

  @Override
  public QuantizedPart attentionPooling(AttentionPooling pooling) {
    return new DeviceAttentionPooling(pass, spec, pooling, scheme, from);
  }

  @Override
  public QuantizedPart head(Head head) {
    return new DeviceHead(pass, spec, head, scheme, from);
  }
}
