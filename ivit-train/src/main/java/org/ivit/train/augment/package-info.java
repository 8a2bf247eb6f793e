/**
 * The training transforms of timm: random resized crop, flip, RandAugment, colour jitter, random
 * erasing, mixup, cutmix, label smoothing. All randomness follows from keys (seed, epoch, picture
 * or step), so neither threads nor a resumed run can change it.
 */
package org.ivit.train.augment;
