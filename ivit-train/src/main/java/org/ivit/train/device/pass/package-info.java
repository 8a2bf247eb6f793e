/**
 * What a pass over a batch on a device is made of: what its parts share and what a part is, whether
 * of integers or of floats.
 */
package org.ivit.train.device.pass;
