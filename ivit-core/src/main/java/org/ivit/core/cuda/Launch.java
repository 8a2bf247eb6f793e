package org.ivit.core.cuda;

/**
 * One kernel over a grid of blocks.
 *
 * @param kernel its name
 * @param gridX blocks in x
 * @param gridY blocks in y, at most 65535
 * @param gridZ blocks in z, at most 65535
 * @param threads of a block
 * @param sharedBytes dynamic shared memory of a block
 * @param arguments the bytes of its one parameter
 */
public record Launch(
    String kernel,
    int gridX,
    int gridY,
    int gridZ,
    int threads,
    int sharedBytes,
    byte[] arguments) {}
