package org.ivit.export.freeze;

import java.util.SortedMap;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;

/**
 * A run that was frozen, with what it was frozen from.
 *
 * @param checkpoint the integer model
 * @param weights float parameters by timm name
 * @param scheme how they were quantized
 * @param ranges by full node name
 */
public record Frozen(
    IntegerCheckpoint checkpoint,
    FloatWeights weights,
    Scheme scheme,
    SortedMap<String, Range> ranges) {}
