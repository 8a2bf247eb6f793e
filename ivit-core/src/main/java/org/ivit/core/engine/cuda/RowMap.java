package org.ivit.core.engine.cuda;

import org.ivit.core.cuda.Arguments;
import org.ivit.core.cuda.Divisor;

/**
 * Which token a row belongs to: row r to token {@code r / length · stride + offset + p}, p = r %
 * length, or {@code table[p]} in place of p.
 *
 * @param table address of [length] integers, or 0 for none
 * @param length rows of a picture
 * @param stride tokens of a picture
 * @param offset first token
 */
record RowMap(long table, int length, int stride, int offset) {
  /** The first {@code length} of {@code stride} tokens of each picture. */
  static RowMap leading(int length, int stride) {
    return new RowMap(0, length, stride, 0);
  }

  /** The tokens as they lie. */
  static RowMap same(int tokens) {
    return leading(tokens, tokens);
  }

  /** Puts it as the structure {@code RowMap} in C++ has it. */
  Arguments putInto(Arguments arguments) {
    return arguments.address(table).divisor(Divisor.of(length)).ints(length, stride, offset, 0);
  }
}
