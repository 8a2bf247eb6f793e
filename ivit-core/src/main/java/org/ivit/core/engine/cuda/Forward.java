package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Launch;

/** A model on a device: its constants, and the launches of a forward pass. */
interface Forward {
  /**
   * The launches for a number of pictures, from {@link #pixels} to {@link #logits}.
   *
   * @param buffers of the pass
   * @param pictures at least 1
   */
  List<Launch> launches(PassBuffers buffers, int pictures);

  /** Returns bytes of a picture's input codes. */
  int pictureBytes();

  /** Returns logits of a picture. */
  int classes();

  /** Returns the most rows of a kernel for a picture. */
  int tokens();

  /** Returns where input codes go. */
  default long pixels(PassBuffers buffers, int pictures) {
    return buffers.of(PassBuffers.Name.PIXELS, (long) pictures * pictureBytes(), 1);
  }

  /** Returns where logits are. */
  default long logits(PassBuffers buffers, int pictures) {
    return buffers.of(PassBuffers.Name.LOGITS, (long) pictures * classes(), 4);
  }
}
