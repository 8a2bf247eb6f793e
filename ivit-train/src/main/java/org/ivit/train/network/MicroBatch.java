package org.ivit.train.network;

/**
 * Pictures that go through the network in one pass.
 *
 * @param pixels normalised, [pictures][3][image][image]
 * @param targets [pictures][classes], or [pictures][2·classes] with the teacher's probabilities
 *     behind the targets
 * @param pictures number of pictures
 * @param keys of the pictures' randomness, functions of seed, epoch and picture
 */
public record MicroBatch(float[] pixels, float[] targets, int pictures, long[] keys) {}
