package org.ivit.core.engine.portable;

import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.graph.IntegerMeanPooling;

/** The mean over the patches of the stream. */
final class MeanPoolingKernel implements StreamKernel {
  private final MeanPooling part;
  private final Dyadic multiplier;

  MeanPoolingKernel(IntegerMeanPooling pooling) {
    part = pooling.part();
    multiplier = pooling.pool().multiplier();
  }

  @Override
  public void run(BlockRunner runner, Picture picture) {
    int dim = part.dim();
    short[] x = picture.x();
    int[] sums = new int[dim];
    for (int t = part.leading(); t < part.tokens(); t++) {
      for (int c = 0; c < dim; c++) {
        sums[c] += x[t * dim + c];
      }
    }
    for (int c = 0; c < dim; c++) {
      x[c] = Quantizer.clamp16(multiplier.apply(sums[c]));
    }
  }
}
