package org.ivit.serve.protocol;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.image.Rgb;
import org.ivit.serve.model.InputMaker;

/** The pictures of a request, in the form in which they came. */
public sealed interface Pictures {
  /** How many, at least 1. */
  int count();

  /**
   * Makes one of them the model's input.
   *
   * @param index from 0
   * @throws org.ivit.core.InputException if it is not usable
   */
  InputMaker.Made make(InputMaker maker, int index);

  /** What messages call a picture. */
  private static String name(Pictures pictures, int index) {
    return pictures.count() == 1 ? "picture" : "picture " + index;
  }

  /**
   * Picture files.
   *
   * @param files the bytes of each
   */
  record Encoded(List<byte[]> files) implements Pictures {
    @Override
    public int count() {
      return files.size();
    }

    @Override
    public InputMaker.Made make(InputMaker maker, int index) {
      return maker.encoded(files.get(index), name(this, index));
    }
  }

  /**
   * Decoded pictures of one size.
   *
   * @param size height and width of each
   * @param rgb [count][height][width][3] from {@code from} on
   * @param transformed whether they were resized and cropped already
   */
  record Pixels(int count, Size size, byte[] rgb, int from, boolean transformed)
      implements Pictures {
    @Override
    public InputMaker.Made make(InputMaker maker, int index) {
      int length = 3 * size.area();
      int at = from + index * length;
      if (transformed) {
        return maker.transformed(size, rgb, at, name(this, index));
      }
      return maker.decoded(
          new Rgb(
              size.width(),
              size.height(),
              rgb.length == length ? rgb : Arrays.copyOfRange(rgb, at, at + length)));
    }
  }

  /**
   * Pictures that were normalised already.
   *
   * @param values [count][3][height][width] of the model's size
   */
  record Normalised(int count, float[] values) implements Pictures {
    @Override
    public InputMaker.Made make(InputMaker maker, int index) {
      int size = values.length / count;
      return maker.normalised(
          Arrays.copyOfRange(values, index * size, (index + 1) * size), name(this, index));
    }
  }
}
