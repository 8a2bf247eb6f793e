package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.ivit.core.Size;

/**
 * How one block cuts its grid of tokens into windows, within which tokens attend with a relative
 * position bias, and which tokens of a window see each other ({@code
 * docs/arithmetic.md#windows-and-merging}). Networks with mergings have windows of one size; a BEiT
 * one window, the whole grid, and leading tokens in it.
 *
 * @param resolution size of the grid in tokens, multiples of {@code window}
 * @param window size of a window in tokens
 * @param shift by how many tokens the grid is rolled up and left before it is cut, below {@code
 *     window}; 0 for none
 * @param leading tokens before the grid, which belong to the only window; null for none, else 1
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Windows(Size resolution, Size window, Size shift, Integer leading) {
  /** Rows of the table for pairs with a leading token: it asks, it is asked, itself. */
  private static final int LEADING_PAIRS = 3;

  /** Side of the largest grid, small enough that no product of two overflows. */
  private static final int LARGEST = 1 << 15;

  /** Checks the sizes. */
  public Windows {
    check(resolution.height(), window.height(), shift.height());
    check(resolution.width(), window.width(), shift.width());
    if (leading != null && (leading != 1 || !resolution.equals(window))) {
      throw new IllegalArgumentException(
          leading + " leading tokens, expected 1 in a window that is the whole grid");
    }
  }

  /** Windows without leading tokens; parameters as those of the record. */
  public Windows(Size resolution, Size window, Size shift) {
    this(resolution, window, shift, null);
  }

  private static void check(int resolution, int window, int shift) {
    if (resolution > LARGEST) {
      throw new IllegalArgumentException(
          "a resolution of " + resolution + ", expected at most " + LARGEST);
    }
    if (window < 1 || resolution < window || resolution % window != 0) {
      throw new IllegalArgumentException(
          "windows of " + window + " do not divide a resolution of " + resolution);
    }
    if (shift < 0 || shift >= window) {
      throw new IllegalArgumentException("shift " + shift + " in a window of " + window);
    }
  }

  /**
   * The windows of a block between mergings: along a side that is no longer than a window there is
   * one window, and nothing shifts.
   *
   * @param resolution size of the grid in tokens
   * @param window height and width of a window as the model gives it
   * @param shifted whether the block's number in its stage is odd
   */
  public static Windows of(Size resolution, int window, boolean shifted) {
    Size inside =
        new Size(Math.min(resolution.height(), window), Math.min(resolution.width(), window));
    Size shift =
        new Size(
            shift(resolution.height(), window, shifted),
            shift(resolution.width(), window, shifted));
    return new Windows(resolution, inside, shift);
  }

  private static int shift(int resolution, int window, boolean shifted) {
    return shifted && resolution > window ? window / 2 : 0;
  }

  /**
   * One window of a whole grid behind a class token.
   *
   * @param resolution size of the grid in tokens
   */
  public static Windows whole(Size resolution) {
    return new Windows(resolution, resolution, Size.of(0), 1);
  }

  /** Whether the grid is rolled, so that some scores are masked. */
  public boolean shifted() {
    return shift.height() > 0 || shift.width() > 0;
  }

  /** Whether the tokens of windows lie in the order of the picture's. */
  public boolean inOrder() {
    return count() == 1 && !shifted();
  }

  /** Tokens before the grid. */
  public int leadingTokens() {
    return leading == null ? 0 : leading;
  }

  private int columns() {
    return resolution.width() / window.width();
  }

  private int rows() {
    return resolution.height() / window.height();
  }

  /** Windows of a picture. */
  public int count() {
    return rows() * columns();
  }

  /** Tokens of a window. */
  public int tokens() {
    return leadingTokens() + window.area();
  }

  /** Relative positions of two tokens of the grid: (2h−1)(2w−1). */
  private int pairs() {
    return (2 * window.height() - 1) * (2 * window.width() - 1);
  }

  /** Rows of the relative position table: (2h−1)(2w−1), and 3 where there is a leading token. */
  public int relativePositions() {
    return pairs() + (leading == null ? 0 : LEADING_PAIRS);
  }

  /**
   * Where the tokens of a window come from.
   *
   * @return index in the picture, row-major, of each token in window order, [count·tokens]
   */
  public int[] order() {
    int[] order = new int[leadingTokens() + resolution.area()];
    for (int i = 0; i < leadingTokens(); i++) {
      order[i] = i;
    }
    for (int i = 0; i < resolution.area(); i++) {
      int number = i / window.area();
      int inside = i % window.area();
      int row =
          (number / columns() * window.height() + inside / window.width() + shift.height())
              % resolution.height();
      int column =
          (number % columns() * window.width() + inside % window.width() + shift.width())
              % resolution.width();
      order[leadingTokens() + i] = leadingTokens() + row * resolution.width() + column;
    }
    return order;
  }

  /**
   * Where the tokens of the picture go: the inverse of {@link #order}.
   *
   * @return place in window order of each token of the picture, [count·tokens]
   */
  public int[] places() {
    int[] order = order();
    int[] places = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      places[order[i]] = i;
    }
    return places;
  }

  /**
   * Row of the relative position table for a query and a key: {@code (Δrow + h−1)(2w−1) + Δcolumn +
   * w−1}, Δ = query − key. The last three rows are those of a leading token that asks a token of
   * the grid, of one that is asked, and of one that asks itself.
   *
   * @return [query][key] of a window, row-major
   */
  public int[] relativeIndex() {
    int n = tokens();
    int[] index = new int[n * n];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        index[query * n + key] = relative(query - leadingTokens(), key - leadingTokens());
      }
    }
    return index;
  }

  private int relative(int query, int key) {
    if (query < 0) {
      return key < 0 ? pairs() + 2 : pairs();
    }
    if (key < 0) {
      return pairs() + 1;
    }
    int rows = query / window.width() - key / window.width() + window.height() - 1;
    int columns = query % window.width() - key % window.width() + window.width() - 1;
    return rows * (2 * window.width() - 1) + columns;
  }

  /**
   * The mask of one window: the rolled grid is cut at −w and −shift on each axis, and two tokens
   * are masked where their regions differ.
   *
   * @param number number of the window, 0 to {@link #count} − 1
   * @return [query][key] of the window, row-major and symmetric, true where masked; null where no
   *     score of the window is masked
   */
  public boolean[] mask(int number) {
    boolean lastRow = shift.height() > 0 && number / columns() == rows() - 1;
    boolean lastColumn = shift.width() > 0 && number % columns() == columns() - 1;
    if (!(lastRow || lastColumn)) {
      return null;
    }
    int n = tokens();
    boolean[] mask = new boolean[n * n];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        mask[query * n + key] =
            (lastRow && wrappedRow(query) != wrappedRow(key))
                || (lastColumn && wrappedColumn(query) != wrappedColumn(key));
      }
    }
    return mask;
  }

  /** Whether a row of an outermost window came from the other side of the picture. */
  private boolean wrappedRow(int inside) {
    return inside / window.width() >= window.height() - shift.height();
  }

  private boolean wrappedColumn(int inside) {
    return inside % window.width() >= window.width() - shift.width();
  }
}
