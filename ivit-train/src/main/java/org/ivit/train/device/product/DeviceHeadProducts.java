package org.ivit.train.device.product;

import org.ivit.core.architecture.Block;

/**
 * Products of an attention, one a group and head.
 *
 * @param product that multiplies
 * @param site sizes
 * @param groups of all pictures
 */
public record DeviceHeadProducts(Product product, Block site, int groups) {
  /** Scores, or what belongs to them, [groups][heads][query][key], from an address on. */
  public Matrix scores(long address) {
    long square = (long) site.rowTokens() * site.rowTokens();
    return new Matrix(address, site.heads() * square, square, site.rowTokens());
  }

  /** A context, or what belongs to it, [groups·tokens][dim], from an address on. */
  public Matrix context(long address) {
    return rows(address, site.dim());
  }

  /** Queries, keys or values, or what belongs to them: a third of [groups·tokens][3·dim]. */
  public Matrix third(long address) {
    return rows(address, 3L * site.dim());
  }

  private Matrix rows(long address, long stride) {
    return new Matrix(address, stride * site.rowTokens(), site.headDim(), stride);
  }

  /** A product [query][key] over the width of a head. */
  public void toScores(Product.Kind kind, float alpha, Matrix a, Matrix b, Matrix scores) {
    int tokens = site.rowTokens();
    int heads = site.heads();
    product.batch(kind, tokens, tokens, site.headDim(), groups, heads, alpha, a, b, scores);
  }

  /** A product [token][width of a head] over the tokens. */
  public void toTokens(Product.Kind kind, float alpha, Matrix a, Matrix b, Matrix rows) {
    int tokens = site.rowTokens();
    int heads = site.heads();
    product.batch(kind, tokens, site.headDim(), tokens, groups, heads, alpha, a, b, rows);
  }
}
