# %% [markdown]
# # The whole encoder learns
#
# So far, the encoder was a witness: we asked, it answered, and it went home unchanged. Now we let it learn.

# %% [markdown]
# ## What each training argument does
#
# *Fine-tuning* puts a small classifier on top of the encoder and trains both together, with our labels. A recipe says how. emolens plans one that suits the encoder and the number of rows; here it's the one for people who want their afternoon back.

# %%
part = dataset.limited(int(SHARE * len(dataset["train"])), splits=["train"])
recipe = el.plan_recipe(ENCODER, part, "fast")
pd.Series(vars(recipe), name="recipe")

# %% [markdown]
# - `epochs`: how many times to go through the training rows. Too few, and it has not learned. Too many, and it recites.
# - `learning_rate`: how large a step each lesson is. Too small, and you wait forever. Too large, and every lesson wipes out the last one.
# - `batch_size`: how many texts make one lesson.
# - `weight_decay`: a gentle pull of the weight matrices towards zero, against learning by heart.
# - `warmup`: the share of the lessons in which the steps grow to full size. Nobody starts a run with a sprint. After it, they shrink again, down to nothing.
# - `precision`: the number format; `None` takes what the machine does best.
# - `balance`: what to do about unequal classes. Its own section comes soon.
# - `rdrop`: with a number above 0, each lesson is given twice, with other neurons asleep, and both answers should agree. Often better, and twice the work. The fast recipe goes without.
# - `patience`: stop if it gets worse so many times in a row.
# - `seed`: which random numbers. Same seed and same machine, same result.
#
# The script has four more, which decide nothing about the model: where the files go (`output_dir`, here the third argument of `finetune`), and how much is told on the way (`logging_steps`, `log_level`, `disable_tqdm`). `finetune` is silent unless you give it a `progress`.
#
# The reference has 2 epochs, a learning rate of 2e-5, batches of 64 and a weight decay of 0.01, which is right for DistilBERT. MiniLM is narrower and wants larger steps.
#
# **Try this:** `el.plan_recipe(ENCODER, part)` is the recipe for the better model. What is different? Which of the differences costs time?

# %% [markdown]
# ## Train
#
# This is the line that takes minutes. Everything before it was warm-up.

# %%
tuned = el.finetune(ENCODER, part, "walkthrough-model", recipe=recipe)
facts = tuned.facts
print(f"{len(part['train']):,} rows, {facts.seconds:.0f} seconds, "
      f"{facts.texts_per_second:.0f} per second")
print(facts.runtime)

# %%
el.LearningCurveDisplay(facts.training, facts.history, facts.best_epoch)

# %% [markdown]
# On the left is the **loss**: how surprised the model is by the right answers. It should fall. If the blue line (train) keeps falling while the orange one (validation) rises, the model has begun to recite. On the right is what we care about: figures on validation, after each epoch and at the end. The dotted line marks the weights that were kept: the last ones, unless earlier ones had a clearly better macro-F1. Small ups and downs are noise.
#
# The curve does not start as high as you may expect. emolens fits the last layer first, with a small regression, so training begins where a probe ends.
#
# **Try this:** train for longer, into another folder: `el.finetune(ENCODER, part, "six", recipe=el.plan_recipe(ENCODER, part, "fast", epochs=6))`. It takes four times as long. When does validation stop getting better? Whatever you find, you found it on validation, so you may use it.

# %% [markdown]
# ## Metrics, loss and speed
#
# And? Was it worth the wait?

# %%
result = el.evaluate(part, [el.majority(part), el.tfidf(part), of_probe, tuned])
scores = result.by_split["validation"]["finetune"]
print(f"accuracy {scores.accuracy:.4f}, macro-F1 {scores.macro_f1:.4f}, "
      f"weighted F1 {scores.weighted_f1:.4f}")
speed = facts.prediction["validation"]
print(f"loss {speed.loss:.4f}, {speed.texts_per_second:.0f} texts per second")

# %% [markdown]
# In `emotion`: accuracy 0.9345, on the same texts where the probe had 0.7080. The reference reports 0.9245 here, with DistilBERT, which is three times as large. Of 100 texts, the probe is wrong on 29, and the fine-tuned model on 7.
#
# **Weighted F1** weighs each class by its size, as the reference does. **Macro-F1** counts every class alike, and it is lower: 0.9110. It usually is, because rare classes are the hard ones. The **loss** also asks how sure the model was: being wrong with confidence costs most. And the **speed** says more about your machine than about your model.
#
# How good is good? With the full recipe and five seeds, MiniLM gets 0.9382 ± 0.0014 ([all figures](results-emotion-minilm.md)), and all-mpnet-base-v2, with 768 numbers per text and five times the size, gets 0.9440 in its one training. On test, it is no better than MiniLM's mean. The large step is from frozen to trained. After that, you pay a lot for a little, or for nothing.
#
# (If `SHARE` is below 1, this race is not quite fair: the probe has seen all rows of train, and the fine-tuned model only its share.)

# %%
el.ScoreDisplay(result.by_split["test"], "test")

# %% [markdown]
# That was test, and it was the first time we looked at answers to it. Nothing more is chosen from here on for this model.
#
# **Why is it so much better?** Because this time the model does not rely on what it happened to pick up. It was trained for this: the hidden states themselves have moved. Suddenly anger isn't just "sad-ish with spice", and love isn't always "joy in disguise". It knows what it is looking for.
#
# **Try this:** one training is one roll of the dice. `el.finetune_seeds(ENCODER, part, "five", seeds=range(42, 47))` rolls five times, and takes five times as long. If two recipes differ by less than the seeds do, you can't tell which one is better.

# %% [markdown]
# ## Side by side
#
# Numbers are great, but some satisfactions are for the eye.

# %%
answers = {"probe": of_probe.predictions("validation"),
           "fine-tuned": tuned.predictions("validation")}
el.ConfusionPairDisplay.from_predictions(y_true, answers, labels=dataset.labels)

# %%
for label, answer, rows, share in scores.mistaken(6):
    print(f"{label} is taken for {answer}: {rows} texts, {share:.0%} of {label}")

# %% [markdown]
# On the left is the probe, on the right the fine-tuned model. Same texts, same scale. In `emotion`, the feelings that were mixed like socks in the laundry are sorted now: anger taken for sadness went from 21 % to 3 %, and love taken for joy from 36 % to 10 %. Anger, fear and sadness have their own places, and love has stopped crashing joy's party.
#
# What is left? **Surprise is taken for fear**: 13 texts, 16 % of surprise. Honestly, that one is fair. Your heart jumps, and only a second later you find out whether it was a party or a burglar.
#
# It is as if the model had finally put on its glasses.
#
# **Try this:** read the ten errors that the model was surest of: `result.confidently_wrong`. Count how many of them are the model's fault, and how many are the label's. It's rarely ten to zero.
