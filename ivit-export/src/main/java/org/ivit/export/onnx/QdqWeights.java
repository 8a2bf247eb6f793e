package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import org.ivit.core.InputException;

/** How the codes of weights stand in a QDQ model: which bytes the code 0 is. */
public enum QdqWeights {
  /**
   * Unsigned bytes, code + 128. ONNX Runtime widens them before it multiplies, so every sum is
   * exact on every processor.
   */
  UNSIGNED("unsigned", DataType.UINT8, 128),

  /**
   * Signed bytes, the code itself. On x86 processors without VNNI ONNX Runtime multiplies unsigned
   * by signed bytes with an instruction that adds two products in 16 bits, and saturates.
   */
  SIGNED("signed", DataType.INT8, 0);

  private final String key;
  private final DataType type;
  private final int zeroPoint;

  QdqWeights(String key, DataType type, int zeroPoint) {
    this.key = key;
    this.type = type;
    this.zeroPoint = zeroPoint;
  }

  /**
   * @throws InputException if there is none of that name
   */
  public static QdqWeights of(String key) {
    return Arrays.stream(values())
        .filter(form -> form.key.equals(key))
        .findFirst()
        .orElseThrow(() -> new InputException("no form of QDQ weights is called '" + key + "'"));
  }

  /** Its name on the command line and in the file's metadata. */
  public String key() {
    return key;
  }

  DataType type() {
    return type;
  }

  int zeroPoint() {
    return zeroPoint;
  }
}
