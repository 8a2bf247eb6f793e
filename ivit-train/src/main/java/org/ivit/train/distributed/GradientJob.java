package org.ivit.train.distributed;

import java.io.Serializable;

/**
 * What a worker has to know of a run. Files must have the same paths on all machines.
 *
 * @param recipe as YAML, with absolute paths
 * @param scheme how the network is quantized, as JSON; null for floating point
 * @param grids forms of the grids of weights of fewer bits, as {@link
 *     org.ivit.train.parameter.GridPoints#text} writes them
 * @param data hash of the list of training pictures, which workers compare with what they see
 * @param teacher hash of the teacher's file, empty without distillation
 */
public record GradientJob(String recipe, String scheme, String grids, String data, String teacher)
    implements Serializable {}
