package org.ivit.train.device.floating;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.PartSpec;

/**
 * The parts of a network in floating point on the device.
 *
 * @param pass what parts share
 * @param spec of the part that is wanted
 * @param from index of the part's first parameter in the network
 */
public record FloatParts(Pass pass, PartSpec spec, int from) implements PartVisitor<DevicePart> {
  @Override
  public DevicePart stem(Stem stem) {
    return new DeviceFloatStem(pass, spec, stem, from);
  }

  @Override
  public DevicePart block(Block block) {
    return new DeviceFloatBlock(pass, spec, block, from);
  }

  @Override
  public DevicePart merging(Merging merging) {
    return new DeviceFloatMerging(pass, spec, merging, from);
  }

  @Override
  public DevicePart norm(Norm norm) {
    return new DeviceFloatStreamNorm(pass, spec, norm, from);
  }

  @Override
  public DevicePart meanPooling(MeanPooling pooling) {
    return new DeviceFloatMeanPooling(pass, spec, pooling, from);
  }

  @Override
  public DevicePart attentionPooling(AttentionPooling pooling) {
    return new DeviceFloatAttentionPooling(pass, spec, pooling, from);
  }

  @Override
  public DevicePart head(Head head) {
    return new DeviceFloatHead(pass, spec, head, from);
  }
}
