package org.ivit.train.device.product;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;

/**
 * Products of an attention, one a group and head.
 *
 * @param product that multiplies
 * @param groups of all pictures
 * @param heads of a group
 * @param headDim channels of a head
 * @param queries of a group
 * @param keys of a group
 */
public record DeviceHeadProducts(
    Product product, int groups, int heads, int headDim, int queries, int keys) {
  /** Those of a block, whose tokens are queries and keys. */
  public static DeviceHeadProducts of(Product product, Block site, int groups) {
    int tokens = site.rowTokens();
    return new DeviceHeadProducts(product, groups, site.heads(), site.headDim(), tokens, tokens);
  }

  /** Those of an attention pooling, which has one query. */
  public static DeviceHeadProducts of(Product product, AttentionPooling site, int pictures) {
    return new DeviceHeadProducts(
        product, pictures, site.heads(), site.headDim(), 1, site.tokens());
  }

  private int dim() {
    return heads * headDim;
  }

  /** Scores, or what belongs to them, [groups][heads][query][key], from an address on. */
  public Matrix scores(long address) {
    long area = (long) queries * keys;
    return new Matrix(address, heads * area, area, keys);
  }

  /** A context, or what belongs to it, [groups·queries][dim], from an address on. */
  public Matrix context(long address) {
    return rows(address, queries, dim());
  }

  /** Values, or what belongs to them, [groups·keys][dim], from an address on. */
  public Matrix values(long address) {
    return rows(address, keys, dim());
  }

  /** Queries, keys or values, or what belongs to them: a third of [groups·tokens][3·dim]. */
  public Matrix third(long address) {
    return rows(address, keys, 3L * dim());
  }

  private Matrix rows(long address, int count, long stride) {
    return new Matrix(address, stride * count, headDim, stride);
  }

  /** A product [query][key] over the width of a head. */
  public void toScores(Product.Kind kind, float alpha, Matrix a, Matrix b, Matrix scores) {
    product.batch(kind, queries, keys, headDim, groups, heads, alpha, a, b, scores);
  }

  /** A product [query][width of a head] over the keys. */
  public void toQueries(Product.Kind kind, float alpha, Matrix a, Matrix b, Matrix rows) {
    product.batch(kind, queries, headDim, keys, groups, heads, alpha, a, b, rows);
  }

  /** A product [key][width of a head] over the queries. */
  public void toKeys(Product.Kind kind, float alpha, Matrix a, Matrix b, Matrix rows) {
    product.batch(kind, keys, headDim, queries, groups, heads, alpha, a, b, rows);
  }
}
