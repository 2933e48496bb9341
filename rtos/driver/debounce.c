/* SPDX-License-Identifier: MIT
 *
 * A contact that bounces is sampled; each sample moves a weight by one towards the level that was seen,
 * and only the two ends of its range change the state. A single wrong sample costs two more samples.
 */
#include "rtos/driver.h"

bool debounce_sample(struct debounce *d, bool level) {
    if (level && d->weight < DEBOUNCE_SAMPLES)
        d->weight++;
    if (!level && d->weight > 0)
        d->weight--;
    bool state = d->weight == DEBOUNCE_SAMPLES || (d->weight > 0 && d->state);
    bool changed = state != d->state;
    d->state = state;
    return changed;
}

bool debounce_settled(const struct debounce *d) {
    return d->weight == 0 || d->weight == DEBOUNCE_SAMPLES;
}
