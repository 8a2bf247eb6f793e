package org.ivit.core.engine.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.SwinGraph;

/** A Swin on a device. */
final class SwinForward implements Forward {
  private final Device device;
  private final SwinGraph graph;
  private final Swin sizes;
  private final List<Swin.Stage> stages;
  private final PatchLayer patches;
  private final LinearLayer patchEmbed;
  private final NormLayer patchNorm;
  private final List<List<BlockLayers>> blocks = new ArrayList<>();
  private final List<MergingLayers> mergings = new ArrayList<>();
  private final NormLayer norm;
  private final LinearLayer head;

  SwinForward(Constants constants, SwinGraph graph) {
    this.device = constants.device();
    this.graph = graph;
    this.sizes = graph.architecture();
    this.stages = sizes.stages();
    patchEmbed = LinearLayer.natural(constants, graph.patchEmbed());
    patches = new PatchLayer(constants, sizes, patchEmbed.depth());
    patchNorm =
        new NormLayer(
            constants,
            graph.patchNorm(),
            new ChannelOrder(sizes.dim(), OutlierChannels.NONE),
            null);
    for (int i = 0; i < stages.size(); i++) {
      blocks.add(
          graph.stages().get(i).blocks().stream()
              .map(block -> new BlockLayers(constants, block))
              .toList());
      IntegerMerging merging = graph.stages().get(i).merging();
      if (merging != null) {
        mergings.add(new MergingLayers(constants, merging, stages.get(i)));
      }
    }
    norm =
        new NormLayer(
            constants,
            graph.norm(),
            new ChannelOrder(sizes.features(), graph.norm().outputOutliers()),
            null);
    head = LinearLayer.natural(constants, graph.head());
  }

  @Override
  public int pictureBytes() {
    return 3 * sizes.image() * sizes.image();
  }

  @Override
  public int classes() {
    return sizes.classes();
  }

  @Override
  public int tokens() {
    return patches.patches();
  }

  @Override
  public List<Launch> launches(PassBuffers buffers, int pictures) {
    List<Launch> launches = new ArrayList<>();
    embed(launches, buffers, pictures);
    for (int i = 0; i < stages.size(); i++) {
      for (BlockLayers block : blocks.get(i)) {
        block.add(launches, device, buffers, pictures, stages.get(i).tokens());
      }
      if (i < mergings.size()) {
        mergings.get(i).add(launches, device, buffers, pictures);
      }
    }
    classify(launches, buffers, pictures);
    return launches;
  }

  private void embed(List<Launch> launches, PassBuffers buffers, int pictures) {
    int rows = Math.multiplyExact(pictures, patches.patches());
    int codeStride = patchNorm.outputStride();
    int stride = StreamLayout.stride(sizes.dim());
    long unfolded = buffers.of(PassBuffers.Name.PATCHES, (long) rows * patchEmbed.depth(), 1);
    long codes = buffers.of(PassBuffers.Name.PATCH_CODES, (long) rows * codeStride, 1);
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) rows * stride, 2);
    launches.add(patches.launch(pictures, pixels(buffers, pictures), unfolded));
    launches.add(patchEmbed.codes(device, rows, unfolded, codes, codeStride, null));
    launches.add(patchNorm.patches(rows, codes, codeStride, stream, stride));
  }

  private void classify(List<Launch> launches, PassBuffers buffers, int pictures) {
    int features = sizes.features();
    int tokens = sizes.pooledTokens();
    int rows = pictures * tokens;
    int stride = StreamLayout.stride(features);
    long stream = buffers.of(PassBuffers.Name.STREAM, (long) rows * stride, 2);
    long codes = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    long means = buffers.of(PassBuffers.Name.POOL, (long) pictures * head.depth(), 1);
    launches.add(norm.codes(rows, RowMap.same(tokens), stream, stride, codes));
    PoolLayer pool =
        new PoolLayer(
            graph.pool().multiplier(), tokens, features, norm.outputStride(), head.depth());
    launches.add(pool.launch(pictures, codes, means));
    launches.add(
        head.logits(device, pictures, means, head.depth(), logits(buffers, pictures), false));
  }
}
