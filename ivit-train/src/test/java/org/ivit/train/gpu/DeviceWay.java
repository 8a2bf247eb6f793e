package org.ivit.train.gpu;

import java.util.Locale;
import org.ivit.train.device.product.ProductPrecision;

/**
 * How a device takes steps.
 *
 * @param precision of the products of reals
 * @param library whether cuBLASLt multiplies where it can
 * @param recompute whether blocks run forward again on the way back
 */
record DeviceWay(ProductPrecision precision, boolean library, boolean recompute) {
  /** Own kernels, everything kept. */
  static DeviceWay of(ProductPrecision precision) {
    return new DeviceWay(precision, false, false);
  }

  /** The same by cuBLASLt. */
  DeviceWay byLibrary() {
    return new DeviceWay(precision, true, recompute);
  }

  /** The same with less memory. */
  DeviceWay recomputing() {
    return new DeviceWay(precision, library, true);
  }

  /** For the names of fields. */
  String key() {
    return precision.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return precision + (library ? " by cuBLASLt" : "") + (recompute ? ", recomputed" : "");
  }
}
