package org.ivit.train.device.pass;

/**
 * The last part of a network on the device. Its output are logits, [pictures][classes]: int32 codes
 * or float32.
 */
public interface HeadPart extends DevicePart {
  /** The scale of the logits of this step; 0 where they are float32. */
  float logitScale();
}
