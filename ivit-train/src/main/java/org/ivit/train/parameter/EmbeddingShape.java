package org.ivit.train.parameter;

import java.util.List;
import org.ivit.train.memory.Reals;

/**
 * Sizes of a patch embedding.
 *
 * @param image side of the square picture in pixels
 * @param patch side of a patch, which divides {@code image}
 * @param dim channels
 * @param leading parameters of the tokens before the patches
 */
public record EmbeddingShape(int image, int patch, int dim, List<String> leading) {
  /** Checks that patches cover the picture. */
  public EmbeddingShape {
    leading = List.copyOf(leading);
    if (image < 1 || patch < 1 || dim < 1 || image % patch != 0) {
      throw new IllegalArgumentException(
          "patches of " + patch + " in a picture of " + image + " to " + dim + " channels");
    }
  }

  /** With a class token alone; sizes as those of the record. */
  public EmbeddingShape(int image, int patch, int dim) {
    this(image, patch, dim, List.of("cls_token"));
  }

  /** Patches of a picture. */
  public int patches() {
    return (image / patch) * (image / patch);
  }

  /** Rows of the output: leading tokens and patches. */
  public int tokens() {
    return leading.size() + patches();
  }

  /** Numbers of a patch, in the order (channel, row, column). */
  public int inputs() {
    return 3 * patch * patch;
  }

  /** Numbers of a picture. */
  public int pixels() {
    return 3 * image * image;
  }

  /** The parameters, named as timm names them. */
  public ParameterLayout parameters() {
    ParameterLayout layout = new ParameterLayout();
    leading.forEach(token -> layout.add(token, ParameterKind.TOKEN, 1, 1, dim));
    return layout
        .add("pos_embed", ParameterKind.POSITION, 1, tokens(), dim)
        .add("patch_embed.proj.weight", ParameterKind.CONVOLUTION, dim, 3, patch, patch)
        .add("patch_embed.proj.bias", ParameterKind.BIAS, dim);
  }

  /**
   * Where the pixels of row {@code row} of a patch's channel begin in a picture; a patch has {@code
   * patch} of them in a line.
   */
  public int pixel(int patchIndex, int channel, int row) {
    int side = image / patch;
    int y = patchIndex / side * patch + row;
    int x = patchIndex % side * patch;
    return (channel * image + y) * image + x;
  }

  /** Refuses to compute a gradient by the pixels: {@code gx} must be null. */
  public void requireNoGradient(Reals gx) {
    if (gx != null) {
      throw new IllegalArgumentException("the patch embedding has no gradient by its pixels");
    }
  }

  /** Copies the pixels of a picture as rows of patches. */
  public void unfold(Reals x, int from, Reals columns, int at) {
    int to = at;
    for (int p = 0; p < patches(); p++) {
      for (int channel = 0; channel < 3; channel++) {
        for (int row = 0; row < patch; row++) {
          columns.put(to, x, from + pixel(p, channel, row), patch);
          to += patch;
        }
      }
    }
  }
}
