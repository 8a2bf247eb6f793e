package org.ivit.serve.protocol;

/** The protocol's types of tensors that are used here. */
public enum DataType {
  /** Unsigned bytes. */
  UINT8,
  /** Signed integers. */
  INT32,
  /** IEEE float32. */
  FP32,
  /** Strings of bytes, each of any length. */
  BYTES
}
