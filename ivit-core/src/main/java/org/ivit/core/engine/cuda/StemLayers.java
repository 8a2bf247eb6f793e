package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.engine.cuda.layer.StreamLayout;
import org.ivit.core.engine.cuda.row.LeadingTokensLayer;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.engine.cuda.row.PatchLayer;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.IntegerStem;

/** A stem's constants on the device, and its launches. */
final class StemLayers implements PartLayers {
  private final Stem part;
  private final Embed embed;
  private final PatchLayer patches;
  private final LinearLayer projection;
  private final NormLayer norm;
  private final long positions;
  private final LeadingTokensLayer leading;

  StemLayers(Constants constants, IntegerStem stem) {
    part = stem.part();
    embed = stem.embed();
    projection = LinearLayer.natural(constants, stem.projection());
    patches = new PatchLayer(constants, part, projection.depth());
    if (stem.norm() != null) {
      ChannelOrder inOrder = new ChannelOrder(part.dim(), OutlierChannels.NONE);
      norm = new NormLayer(constants, stem.norm(), inOrder, null);
      positions = 0;
      leading = null;
    } else {
      norm = null;
      positions = constants.shorts(StreamLayout.padded(embed.position(), part.dim()));
      leading =
          part.leading().isEmpty()
              ? null
              : new LeadingTokensLayer(constants, embed.constants(), part.dim());
    }
  }

  @Override
  public void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures) {
    int rows = Math.multiplyExact(pictures, part.patches());
    int stride = StreamLayout.stride(part.dim());
    long pixels = buffers.of(PassBuffers.Name.PIXELS, (long) pictures * part.pixels(), 1);
    long unfolded = buffers.of(PassBuffers.Name.PATCHES, (long) rows * projection.depth(), 1);
    long stream =
        buffers.of(PassBuffers.Name.STREAM, (long) pictures * part.outputTokens() * stride, 2);
    launches.add(patches.launch(pictures, pixels, unfolded));
    if (norm != null) {
      int codeStride = norm.outputStride();
      long codes = buffers.of(PassBuffers.Name.PATCH_CODES, (long) rows * codeStride, 1);
      launches.add(projection.codes(device, rows, unfolded, codes, codeStride, null));
      launches.add(norm.patches(rows, codes, codeStride, stream, stride));
      return;
    }
    if (leading != null) {
      launches.add(leading.launch(pictures, stream, (long) part.outputTokens() * stride));
    }
    launches.add(
        projection.stream(
            device,
            rows,
            unfolded,
            stream,
            stride,
            new RowMap(0, part.patches(), part.outputTokens(), part.leadingTokens()),
            embed.sum(),
            positions,
            0));
  }
}
