package org.ivit.train.step;

import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;

/**
 * A float model whose probabilities, or features, a student learns.
 *
 * @param architecture its sizes
 * @param weights its parameters by timm name
 */
public record TeacherModel(Architecture architecture, FloatWeights weights) {}
