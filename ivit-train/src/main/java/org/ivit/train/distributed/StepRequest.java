package org.ivit.train.distributed;

import java.io.Serializable;

/**
 * A step, from which every worker derives its pictures and their randomness.
 *
 * @param epoch from 0
 * @param position pictures of the epoch's order that are used up before the step
 * @param batches micro-batches of the step
 * @param observed whether passes gather ranges
 */
public record StepRequest(int epoch, int position, int batches, boolean observed)
    implements Serializable {}
