"""The settings of papers, by name. What a preset leaves out has its plain value (see config.py)."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # The best quality for the compute: a narrow DCGAN without normalization in D, which is kept smooth at real and at
    # generated pictures: it neither wins nor lets G drop modes, and a hot learning rate pays. (bench/results.md)
    "modern": dict(
        arch="dcgan",
        z_dim=64,
        prior="normal",
        loss="nonsaturating",
        r1=1.0,
        r2=1.0,
        lr=4e-3,
        beta1=0.0,
        beta2=0.99,
        batch=64,
        ema_kimg=9.0,
    ),
    # Goodfellow et al. 2014, "Generative Adversarial Nets": fully connected, noise uniform, dropout in D, equation 1
    # with the generator's loss of section 3. (Momentum and maxout there; Adam and leaky units here.)
    "goodfellow2014": dict(
        arch="mlp", dropout=0.5, z_dim=100, prior="uniform", loss="nonsaturating", lr=1e-3, batch=100
    ),
    # Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with DCGANs", section 4.
    "dcgan2016": dict(arch="dcgan", width=128, z_dim=100, prior="uniform", loss="nonsaturating", lr=2e-4, batch=128),
    # Mao et al. 2017, "Least Squares GANs", section 4: a DCGAN, equation 9, latents of 1024 numbers.
    "lsgan2017": dict(arch="dcgan", width=64, z_dim=1024, prior="uniform", loss="lsgan", lr=1e-3, batch=64),
    # Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", algorithm 1 and its defaults.
    "wgan-gp2017": dict(
        arch="dcgan",
        width=64,
        z_dim=128,
        prior="normal",
        loss="wgan",
        gp=10.0,
        lr=1e-4,
        beta1=0.0,
        beta2=0.9,
        batch=64,
        d_updates=5,
    ),
    # Krohn, Beyleveld, Bassens 2019, "Deep Learning Illustrated", chapter 12: the Quick, Draw! GAN.
    "quickdraw2019": dict(
        arch="krohn",
        dropout=0.4,
        z_dim=32,
        prior="uniform",
        loss="nonsaturating",
        optimizer="rmsprop",
        lr=4e-4,
        d_lr=8e-4,
        beta2=0.9,
        batch=128,
    ),
    # Donahue, McAuley, Puckette 2019, "Adversarial Audio Synthesis" (WaveGAN), section 3 and appendix D, for 16,384
    # numbers at 16 kHz. (In their code phase shuffle moves all sounds of a batch alike; here each by itself.)
    "wavegan2019": dict(
        arch="wave",
        width=64,
        g_norm="none",
        phase_shuffle=2,
        z_dim=100,
        prior="uniform",
        loss="wgan",
        gp=10.0,
        lr=1e-4,
        beta1=0.5,
        beta2=0.9,
        batch=64,
        d_updates=5,
    ),
    # Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), section 3 and
    # appendix 6. (There the U-Net goes down to a single point, and dropout stays on when it is used.)
    "pix2pix2017": dict(
        arch="unet",
        width=64,
        norm="instance",  # batch norm over one picture
        g_norm="instance",
        patch=3,
        sees="pair",
        dropout=0.5,
        z_dim=0,
        prior="normal",
        loss="nonsaturating",
        l1=100.0,
        jitter=0.05,
        mirror=0.5,
        lr=2e-4,
        batch=1,
    ),
    # Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network" (SRGAN),
    # section 3. (There the content loss is of VGG's features; here of the pixels and of D's features.)
    "srgan2017": dict(
        arch="enlarge",
        width=64,
        blocks=16,
        norm="batch",
        g_norm="batch",
        patch=0,
        z_dim=0,
        prior="normal",
        loss="nonsaturating",
        adversarial=1e-3,
        l1=1.0,
        matching=6e-3,
        mirror=0.5,
        lr=1e-4,
        beta1=0.9,
        batch=16,
    ),
    # Zhang et al. 2017, "StackGAN: Text to Photo-Realistic Image Synthesis with Stacked Generative Adversarial
    # Networks", section 3 and its implementation details: stage I. (There the text and its draw have 128 numbers, and
    # the text stands beside D's last map; here half of a latent is the draw, and the last features are projected on
    # the text.)
    "stackgan2017": dict(
        arch="dcgan",
        width=96,
        z_dim=256,
        prior="normal",
        loss="nonsaturating",
        lr=2e-4,
        batch=64,
    ),
    # Yoo et al. 2016, "Pixel-Level Domain Transfer" (PixelDTGAN), section 3: whole pictures, and wrong ones beside
    # right ones. (There two discriminators, one of pictures and one of pairs; here one of pairs.)
    "pixeldt2016": dict(
        arch="hourglass",
        width=96,
        norm="batch",
        patch=0,
        sees="pair",
        z_dim=0,
        prior="normal",
        loss="nonsaturating",
        mismatch=0.5,
        lr=2e-4,
        batch=128,
    ),
    # Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (CycleGAN),
    # section 4 and appendix 7. (There G is updated before D; the weight of identity is that of its code, whose least
    # squares are not halved.)
    "cyclegan2017": dict(
        arch="blocks",
        domains=2,
        width=64,
        blocks=6,
        norm="instance",
        g_norm="instance",
        patch=3,
        z_dim=0,
        prior="normal",
        loss="lsgan",
        adversarial=2.0,
        cycle=10.0,
        identity=5.0,
        buffer=50,
        jitter=0.05,
        mirror=0.5,
        lr=2e-4,
        batch=1,
    ),
    # Kim et al. 2017, "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks" (DiscoGAN),
    # section 3 and its code. (There differences of pixels are squared, the cycle's weight is 0.01 at first, and G has
    # two updates for each of D.)
    "discogan2017": dict(
        arch="hourglass",
        domains=2,
        width=64,
        norm="batch",
        g_norm="batch",
        patch=0,
        z_dim=0,
        prior="normal",
        loss="nonsaturating",
        adversarial=0.1,
        matching=0.9,
        cycle=1.0,
        lr=2e-4,
        batch=64,
    ),
}

# Presets whose rate is that of networks of an architecture's own width, where pictures start from latents. The steps of
# Adam in a wider layer add up to more, so its rate is lower in proportion (Yang et al. 2022, "Tensor Programs V",
# table 3). (bench/results.md)
RATE_FALLS_WITH_WIDTH = {"modern"}

SMALL = 32  # side of a picture
# What a preset is where pictures are larger: deeper networks need a lower rate. (bench/results.md)
LARGE: dict[str, dict[str, Any]] = {
    "modern": dict(PRESETS["modern"], lr=2e-3),
}

# What else a preset has where pictures are gray and start from latents alone, by whether they are larger: most of these
# are drawings, whose strokes a refined G closes; it learns better at half of D's rate (Heusel et al. 2017, "GANs
# Trained by a Two Time-Scale Update Rule"). Colored faces lost variety with it, and classes gained nothing.
# (bench/results.md)
GRAY: dict[str, dict[bool, dict[str, Any]]] = {
    "modern": {False: dict(blocks=1, lr=2e-3, d_lr=4e-3), True: dict(blocks=1, lr=1e-3, d_lr=2e-3)},
}

# What a preset is where the data are points. (bench/results.md)
POINTS: dict[str, dict[str, Any]] = {
    "modern": dict(PRESETS["modern"], arch="mlp", r1=0.3, r2=0.3, lr=2e-3),
}

# What a preset is where the data are sounds. (bench/results.md)
SIGNALS: dict[str, dict[str, Any]] = {
    "modern": dict(
        arch="wave",
        phase_shuffle=2,
        emphasis=0.9,
        z_dim=64,
        prior="normal",
        loss="nonsaturating",
        smooth=1.0,
        r1=3.0,
        lr=1e-3,
        beta1=0.0,
        beta2=0.99,
        batch=32,
        ema_kimg=5.0,
    ),
}

# What a preset is where the data are texts. (bench/results.md)
TEXTS: dict[str, dict[str, Any]] = {
    "modern": dict(
        arch="letters",
        width=64,
        hidden=256,
        choices=16,
        ending="straight",
        z_dim=64,
        prior="normal",
        loss="relativistic",
        smooth=1.0,
        r1=0.3,
        r2=0.3,
        lr=4e-3,
        d_lr=2e-3,
        beta1=0.0,
        beta2=0.99,
        batch=64,
        ema_kimg=20.0,
    ),
    # The paper's model of characters, as its code gan_language.py has it.
    "wgan-gp2017": dict(
        PRESETS["wgan-gp2017"], arch="letters", width=512, blocks=5, g_norm="none", beta1=0.5, d_updates=10
    ),
}
# By the tensor of a modality, with `PRESETS` for pictures.
OF_MODALITY = {"points": POINTS, "signals": SIGNALS, "letters": TEXTS}

_STACKGAN = dict(
    width=64,
    norm="batch",
    g_norm="batch",
    patch=0,
    sees="picture",
    z_dim=0,
    prior="normal",
    loss="nonsaturating",
    l1=1.0,
    lr=2e-4,
    batch=64,
)
_PAIRS = dict(
    sees="pair",
    z_dim=0,
    prior="normal",
    loss="nonsaturating",
    smooth=1.0,
    jitter=0.06,
    mirror=0.5,
    lr=5e-4,
    beta2=0.99,
    batch=16,
    ema_kimg=5.0,
)
# What a preset is where the data have inputs, and networks start from these: by the architecture. (bench/results.md)
PAIRED: dict[str, dict[str, dict[str, Any]]] = {
    "modern": {
        "unet": dict(arch="unet", **_PAIRS, l1=50.0),
        "hourglass": dict(arch="hourglass", **_PAIRS, l1=50.0),
        "blocks": dict(arch="blocks", **_PAIRS, l1=50.0),
        "enlarge": dict(arch="enlarge", **_PAIRS, l1=20.0),
    },
    # Section 3.3: stage II. (There its inputs are results of stage I; here small pictures, so that each has its pair.)
    "stackgan2017": {
        "unet": dict(arch="unet", **_STACKGAN),
        "hourglass": dict(arch="hourglass", **_STACKGAN),
        "blocks": dict(arch="blocks", **_STACKGAN, blocks=4),
        "enlarge": dict(arch="enlarge", **_STACKGAN, blocks=4),
    },
}
# What a preset has beside these where networks see attributes or captions; kl where they start from normal latents.
# Without it all latents of a sentence give one sample (bench/results.md). Sentences tell left from right.
DESCRIBED: dict[str, dict[str, Any]] = {
    "modern": dict(contrast=1.0, mismatch=0.5, kl=1.0, mirror=0.0),
    "stackgan2017": dict(kl=1.0, mismatch=0.5),  # equation 4
}
# And beside those where pictures start from latents. D is normalized there instead of penalized: what it knows of
# descriptions was measured so.
TOLD: dict[str, dict[str, Any]] = {
    "modern": dict(loss="nonsaturating", smooth=0.9, r1=0.0, r2=0.0, lr=2e-3, beta1=0.5),
}

# And where they see classes: D by itself asks too little for the right one. (bench/results.md)
CLASSED: dict[str, dict[str, Any]] = {
    "modern": dict(mismatch=0.25),
}

# And where samples have labels that the networks are not conditioned on, enough of each: a D that tells them knows
# better what a sample should look like, and G makes fewer that lie between two. (bench/results.md)
LABELED: dict[str, dict[str, Any]] = {
    "modern": dict(class_loss=0.3),
}

# What else a preset has where pictures start from latents and the loss is not its own. D's output is to meet two
# numbers there: a hot rate overshoots them, and the logits of classes, which grow, are in the way. (bench/results.md)
WITH_LOSS: dict[str, dict[str, dict[str, Any]]] = {
    "modern": {"lsgan": dict(lr=1e-3, d_lr=0.0, class_loss=0.0)},
}

_DOMAINS = dict(
    domains=2,
    width=16,
    norm="instance",
    z_dim=0,
    prior="normal",
    loss="lsgan",
    smooth=1.0,
    cycle=10.0,
    noise=0.1,
    buffer=50,
    jitter=0.06,
    mirror=0.5,
    lr=4e-4,
    beta2=0.99,
    batch=4,
    ema_kimg=5.0,
)
# What a preset is where translators have no pairs to learn from: by the architecture. (bench/results.md)
DOMAINS: dict[str, dict[str, dict[str, Any]]] = {
    "modern": {
        "unet": dict(arch="unet", **_DOMAINS),
        "hourglass": dict(arch="hourglass", **_DOMAINS),
        "blocks": dict(arch="blocks", **_DOMAINS),
    },
}
