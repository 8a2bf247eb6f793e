package org.ivit.serve.batch;

import org.ivit.serve.model.Answer;

/**
 * What became of a job.
 *
 * @param answer of the model
 * @param batch how many pictures were run with it, itself among them
 * @param waitNanos from its submission until the batch began
 * @param runNanos of the batch
 */
public record Outcome(Answer answer, int batch, long waitNanos, long runNanos) {}
