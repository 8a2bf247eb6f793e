package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/**
 * Which token a row belongs to: row r to token {@code r / length · stride + offset + p}, p = r %
 * length, or {@code table[p]} in place of p.
 *
 * @param table address of [length] integers, or 0 for none
 * @param length rows of a picture
 * @param stride tokens of a picture
 * @param offset first token
 */
public record RowMap(long table, int length, int stride, int offset) {
  /** The first {@code length} of {@code stride} tokens of each picture. */
  public static RowMap leading(int length, int stride) {
    return new RowMap(0, length, stride, 0);
  }

  /** The tokens as they lie. */
  public static RowMap same(int tokens) {
    return leading(tokens, tokens);
  }

  private static final class RowMapFields extends Structure {
    private final Field<Long> table = address();
    private final Field<Divisor> divisor = divisor();
    private final Field<Integer> length = int32();
    private final Field<Integer> stride = int32();
    private final Field<Integer> offset = int32();
    private final Field<Integer> unused = unused();
  }

  /** Returns the structure of that name. */
  public Structure fields() {
    RowMapFields a = new RowMapFields();
    a.table.set(table);
    a.divisor.set(Divisor.of(length));
    a.length.set(length);
    a.stride.set(stride);
    a.offset.set(offset);
    return a;
  }
}
