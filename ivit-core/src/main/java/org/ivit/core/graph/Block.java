package org.ivit.core.graph;

/**
 * A transformer block.
 *
 * @param norm1 norm before the attention
 * @param qkv queries, keys and values
 * @param attention scores, softmax, context
 * @param proj projection of the context
 * @param residual1 addition after the attention
 * @param norm2 norm before the MLP
 * @param fc1 first linear layer of the MLP
 * @param gelu activation
 * @param fc2 second linear layer of the MLP
 * @param residual2 addition after the MLP
 */
public record Block(
    LayerNorm norm1,
    Linear qkv,
    Attention attention,
    Linear proj,
    Residual residual1,
    LayerNorm norm2,
    Linear fc1,
    Gelu gelu,
    Linear fc2,
    Residual residual2) {}
