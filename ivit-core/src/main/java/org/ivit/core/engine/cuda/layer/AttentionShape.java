package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Launch;

/**
 * How one launch of attention lies over blocks and warps.
 *
 * @param shares blocks that the queries of a head are shared out to
 * @param warps of a block
 * @param together whether the warps of a block take the same 16 queries and split the keys;
 *     otherwise each takes 16 queries and all keys
 * @param span tokens whose keys and values a block holds at once: all, or a multiple of 32
 * @param copyBits of each exponential lie 4 &lt;&lt; copyBits copies in shared memory, 0 to 3
 * @param sharedBytes of a block
 */
record AttentionShape(
    int shares, int warps, boolean together, int span, int copyBits, int sharedBytes) {

  /** Sets what the kernel has to know of it. */
  void set(AttentionArguments arguments) {
    arguments.span.set(span);
    arguments.copyBits.set(copyBits);
    arguments.together.set(together ? 1 : 0);
  }

  Launch launch(String kernel, int groups, int heads, byte[] arguments) {
    return new Launch(kernel, groups, heads, shares, 32 * warps, sharedBytes, arguments);
  }
}
