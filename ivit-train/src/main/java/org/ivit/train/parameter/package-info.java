/**
 * What parameters the parts of a network have: names, kinds, shapes, and where each lies in a
 * vector.
 */
package org.ivit.train.parameter;
