/*
 * Products of codes on the integer kernels of the CPU engine, whose sources are compiled into this
 * library too. A layer keeps its packed memory from step to step.
 */
#ifndef IVIT_TRAIN_PRODUCT_H
#define IVIT_TRAIN_PRODUCT_H

#include "kernels.h"

struct ivit_product;

/* Null where memory is short or this processor has no fast byte product. */
struct ivit_product *ivit_product_new(
    int inputs, int outputs, const int32_t *outlier, int outliers, int shift);
void ivit_product_free(struct ivit_product *p);

/* Weight codes [outputs][inputs] and biases of this pass; 0 where memory is short. */
int ivit_product_load(struct ivit_product *p, const int8_t *weight, const int32_t *bias);

/* Bytes of scratch memory that a product of so many rows needs. */
size_t ivit_product_scratch(const struct ivit_product *p, int rows);

/* Codes [rows][inputs] to codes of 8 or, where `wide`, 16 bits; out may be x. */
void ivit_product_run(
    const struct ivit_product *p, const struct ivit_training_kernels *k, const int8_t *x, int rows,
    const struct ivit_dyadics *d, struct ivit_extremes seen, uint8_t *scratch, int wide, void *out);

#endif
