package org.ivit.train.memory;

/**
 * A matrix for a product, row-major in memory.
 *
 * @param memory where it lies
 * @param from index of its first element
 * @param rows as the product reads it
 * @param columns as the product reads it
 * @param stride elements from one stored row to the next
 * @param transposed whether a stored row is a column of what the product reads
 */
public record RealMatrix(
    Reals memory, int from, int rows, int columns, int stride, boolean transposed) {
  /** One that is read as it is stored. */
  public RealMatrix(Reals memory, int from, int rows, int columns, int stride) {
    this(memory, from, rows, columns, stride, false);
  }

  /** One whose rows lie close together. */
  public RealMatrix(Reals memory, int from, int rows, int columns) {
    this(memory, from, rows, columns, columns, false);
  }

  /** The same memory, read with rows for columns. */
  public RealMatrix transpose() {
    return new RealMatrix(memory, from, columns, rows, stride, !transposed);
  }

  /** Checks that it lies inside its memory. */
  void check(String name) {
    int storedRows = transposed ? columns : rows;
    int length = transposed ? rows : columns;
    long end = from + (long) (storedRows - 1) * stride + length;
    if (from < 0 || rows < 1 || columns < 1 || stride < length || end > memory.size()) {
      throw new IndexOutOfBoundsException(
          "matrix %s of %d rows, %d columns, stride %d at %d of %d"
              .formatted(name, storedRows, length, stride, from, memory.size()));
    }
  }
}
