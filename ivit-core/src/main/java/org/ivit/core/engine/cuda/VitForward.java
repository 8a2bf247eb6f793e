package org.ivit.core.engine.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Vit;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.VitGraph;

/** A ViT or DeiT on a device. */
final class VitForward implements Forward {
  private final Device device;
  private final VitGraph graph;
  private final Vit sizes;
  private final PatchLayer patches;
  private final LinearLayer patchEmbed;
  private final long positions;
  private final LeadingTokensLayer leading;
  private final List<BlockLayers> blocks;
  private final NormLayer norm;
  private final List<LinearLayer> heads;

  VitForward(Constants constants, VitGraph graph) {
    this.device = constants.device();
    this.graph = graph;
    this.sizes = graph.architecture();
    patchEmbed = LinearLayer.natural(constants, graph.patchEmbed());
    patches = new PatchLayer(constants, sizes, patchEmbed.depth());
    Embed embed = graph.embed();
    positions = constants.shorts(StreamLayout.padded(embed.position(), sizes.dim()));
    short[] sums = new short[embed.leading().length];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = embed.sum().add(embed.leading()[i], embed.position()[i]);
    }
    leading = new LeadingTokensLayer(constants, sums, sizes.dim());
    blocks = graph.blocks().stream().map(block -> new BlockLayers(constants, block)).toList();
    norm =
        new NormLayer(
            constants,
            graph.norm(),
            new ChannelOrder(sizes.dim(), graph.heads().get(0).inputOutliers()),
            null);
    heads = graph.heads().stream().map(head -> LinearLayer.natural(constants, head)).toList();
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
    return sizes.tokens();
  }

  @Override
  public List<Launch> launches(PassBuffers buffers, int pictures) {
    List<Launch> launches = new ArrayList<>();
    embed(launches, buffers, pictures);
    for (int i = 0; i < blocks.size(); i++) {
      // Of the last block only the tokens that the heads read are needed.
      int wanted = i == blocks.size() - 1 ? sizes.leadingTokens() : sizes.tokens();
      blocks.get(i).add(launches, device, buffers, pictures, wanted);
    }
    classify(launches, buffers, pictures);
    return launches;
  }

  private int stride() {
    return StreamLayout.stride(sizes.dim());
  }

  private long stream(PassBuffers buffers, int pictures) {
    return buffers.of(PassBuffers.Name.STREAM, (long) pictures * sizes.tokens() * stride(), 2);
  }

  private void embed(List<Launch> launches, PassBuffers buffers, int pictures) {
    int rows = Math.multiplyExact(pictures, sizes.patches());
    int count = sizes.leadingTokens();
    long unfolded = buffers.of(PassBuffers.Name.PATCHES, (long) rows * patchEmbed.depth(), 1);
    long stream = stream(buffers, pictures);
    launches.add(patches.launch(pictures, pixels(buffers, pictures), unfolded));
    launches.add(leading.launch(pictures, stream, (long) sizes.tokens() * stride()));
    launches.add(
        patchEmbed.stream(
            device,
            rows,
            unfolded,
            stream,
            stride(),
            new RowMap(0, sizes.patches(), sizes.tokens(), count),
            graph.embed().sum(),
            positions,
            0));
  }

  private void classify(List<Launch> launches, PassBuffers buffers, int pictures) {
    int count = sizes.leadingTokens();
    int rows = pictures * count;
    long codes = buffers.of(PassBuffers.Name.NORM, (long) rows * norm.outputStride(), 1);
    launches.add(
        norm.codes(
            rows,
            RowMap.leading(count, sizes.tokens()),
            stream(buffers, pictures),
            stride(),
            codes));
    for (int i = 0; i < count; i++) {
      launches.add(
          heads
              .get(i)
              .logits(
                  device,
                  pictures,
                  codes + (long) i * norm.outputStride(),
                  count * norm.outputStride(),
                  logits(buffers, pictures),
                  i > 0));
    }
  }
}
