/** What calibration does beyond ranges: it finds outlier channels. */
package org.ivit.train.ptq;
